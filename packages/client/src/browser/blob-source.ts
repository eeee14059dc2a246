/// <reference lib="dom" />
/** A file that the user chose or dropped, as a source. */
import { sha256 } from '../digest.ts';
import { SourceError } from '../failures.ts';
import type { LazyBody, Source } from '../ports.ts';

/** A `FileSystemFileHandle`, with the methods used here; not every browser asks for permission. */
export interface FileHandle {
  getFile(): Promise<File>;
  requestPermission?(descriptor: { mode: 'read' }): Promise<PermissionState>;
  isSameEntry?(other: FileSystemHandle): Promise<boolean>;
}

export interface BlobSourceOptions {
  /** The path of the file within the dropped folder; by default its `webkitRelativePath` or name. */
  readonly location?: string | undefined;
  /** Detects changes of the file during the upload, and finds the file again after a reload. */
  readonly handle?: FileHandle | undefined;
}

/**
 * Every read throws SourceError `source_unreadable` in a page that was loaded neither with https nor from localhost.
 */
export class BlobSource implements Source {
  readonly name: string;
  readonly location: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** Browsers give no identity of a file. */
  readonly identity = null;
  readonly file: File;
  readonly #handle: FileHandle | undefined;

  constructor(file: File, { location, handle }: BlobSourceOptions = {}) {
    this.file = file;
    this.#handle = handle;
    this.name = file.name;
    this.location = location ?? (file.webkitRelativePath || file.name);
    this.sizeBytes = file.size;
    this.modifiedMs = file.lastModified;
  }

  /**
   * Opens the file behind a stored handle. The browser may ask the user for permission: call it from a click.
   *
   * @throws SourceError `source_unreadable` without permission, or when the file is gone.
   */
  static async fromHandle(handle: FileHandle, location: string): Promise<BlobSource> {
    const permission = await handle.requestPermission?.({ mode: 'read' });
    if (permission === 'denied') throw unreadable('the browser has no permission to read it');
    const file = await handle.getFile().catch((cause) => {
      throw unreadable('it was moved or removed', cause);
    });
    return new BlobSource(file, { location, handle });
  }

  async read(offset: number, into: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    assertCanHash();
    into.set(await this.#readSnapshot(offset, into.length));
    return await sha256(into);
  }

  /** A browser hashes only bytes in memory, so one large part is hashed at a time. */
  async digest(offset: number, length: number): Promise<Uint8Array> {
    assertCanHash();
    const before = hashing;
    const { promise, resolve } = Promise.withResolvers<void>();
    hashing = promise;
    await before;
    try {
      return await sha256(await this.#readSnapshot(offset, length));
    } finally {
      resolve();
    }
  }

  body(offset: number, length: number): LazyBody {
    const fill = async (at: number, into: Uint8Array<ArrayBuffer>) =>
      into.set(await this.#readSnapshot(offset + at, into.length));
    return { length, blob: this.file.slice(offset, offset + length), fill };
  }

  /** A `File` keeps its state. Only its handle, or a failing read, shows a change. */
  async stat(): Promise<{ sizeBytes: number; modifiedMs: number; identity: null }> {
    const now = (await this.#handle?.getFile().catch(() => null)) ?? null;
    if (now) return { sizeBytes: now.size, modifiedMs: now.lastModified, identity: null };
    await this.#readSnapshot(0, Math.min(1, this.sizeBytes));
    return { sizeBytes: this.sizeBytes, modifiedMs: this.modifiedMs, identity: null };
  }

  async #readSnapshot(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = await this.file
      .slice(offset, offset + length)
      .arrayBuffer()
      .catch(async (cause) => {
        throw await this.#explain(cause);
      });
    if (bytes.byteLength === length) return new Uint8Array(bytes);
    throw changed();
  }

  /** Browsers throw NotReadableError for a changed file and for an unreadable file. */
  async #explain(cause: unknown): Promise<SourceError> {
    const now = (await this.#handle?.getFile().catch(() => null)) ?? null;
    if (now && (now.size !== this.sizeBytes || now.lastModified !== this.modifiedMs)) return changed(cause);
    return unreadable('it was changed, moved or removed after it was chosen, or its disk has an error', cause);
  }
}

/** Resolves when no large part is being hashed. */
let hashing: Promise<void> = Promise.resolve();

function assertCanHash(): void {
  if (globalThis.crypto.subtle) return;
  throw new SourceError(
    'source_unreadable',
    'This page cannot compute checksums: browsers allow this only for pages from https:// or localhost.',
    'Open the page with https://, or on the server with http://localhost.',
  );
}

function changed(cause?: unknown): SourceError {
  return new SourceError(
    'source_changed',
    'The file was modified while it was uploaded.',
    'Wait until no program writes to the file, then choose it again.',
    { cause },
  );
}

function unreadable(reason: string, cause?: unknown): SourceError {
  return new SourceError(
    'source_unreadable',
    `The file cannot be read: ${reason}.`,
    'Choose the file again; its stored parts are kept.',
    { cause },
  );
}
