/** A file on this machine's file system as a source. */
import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SourceError } from '../failures.ts';
import type { LazyBody, Source } from '../ports.ts';
import { retryWhileHeld } from './held-file.ts';
import { realPath } from './real-path.ts';
import { openRegularFile, toSourceError } from './regular-file.ts';

/** Bytes that are read and hashed at a time. Hashing runs on this thread and must not block it for long. */
const PIECE_BYTES = 1024 * 1024;

export class FileSource implements Source {
  readonly name: string;
  readonly location: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly identity: string;
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle, location: string, { sizeBytes, modifiedMs, identity }: Facts) {
    this.#handle = handle;
    this.name = basename(location);
    this.location = location;
    this.sizeBytes = sizeBytes;
    this.modifiedMs = modifiedMs;
    this.identity = identity;
  }

  /**
   * A symbolic link is opened under its own name. Close the source after use.
   *
   * @throws SourceError `source_unreadable` or `source_in_use`; the signal's reason.
   */
  static async open(path: string, signal?: AbortSignal): Promise<FileSource> {
    try {
      const location = join(await realPath(dirname(path)), basename(path));
      const { handle } = await openRegularFile(location, signal);
      return new FileSource(handle, location, await readFacts(handle));
    } catch (cause) {
      signal?.throwIfAborted();
      throw toSourceError(cause);
    }
  }

  async read(offset: number, into: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    const hash = createHash('sha256');
    const piece = (at: number) => into.subarray(at, at + PIECE_BYTES);
    let reading = this.#fill(offset, piece(0));
    for (let at = 0; at < into.length; at += PIECE_BYTES) {
      await reading;
      // The system reads the next chunk while this one is hashed.
      reading = this.#fill(offset + at + PIECE_BYTES, piece(at + PIECE_BYTES));
      hash.update(piece(at));
    }
    return hash.digest();
  }

  async digest(offset: number, length: number): Promise<Uint8Array> {
    const hash = createHash('sha256');
    const pieces = [0, 1].map(() => new Uint8Array(Math.min(PIECE_BYTES, length)));
    const read = async (at: number) => {
      const piece = (pieces[(at / PIECE_BYTES) % 2] as Uint8Array<ArrayBuffer>).subarray(0, Math.max(0, length - at));
      await this.#fill(offset + at, piece);
      return piece;
    };
    let reading = read(0);
    for (let at = 0; at < length; at += PIECE_BYTES) {
      const piece = await reading;
      // The system reads the next chunk while this one is hashed.
      reading = read(at + PIECE_BYTES);
      hash.update(piece);
    }
    await reading;
    return hash.digest();
  }

  body(offset: number, length: number): LazyBody {
    return { length, blob: null, fill: async (at, into) => await this.#fill(offset + at, into) };
  }

  async #fill(offset: number, into: Uint8Array<ArrayBuffer>): Promise<void> {
    for (let at = 0; at < into.length; ) {
      const read = () => this.#handle.read(into, at, into.length - at, offset + at);
      const { bytesRead } = await retryWhileHeld(read).catch((cause) => {
        throw toSourceError(cause);
      });
      if (bytesRead === 0) {
        throw new SourceError(
          'source_changed',
          'The file has become shorter while it was read.',
          'Wait until no program writes to the file, then run the upload again.',
        );
      }
      at += bytesRead;
    }
  }

  async stat(): Promise<Facts> {
    return await readFacts(this.#handle);
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

interface Facts {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly identity: string;
}

async function readFacts(handle: FileHandle): Promise<Facts> {
  const exact = await handle.stat({ bigint: true });
  // Rounded as `Stats.mtimeMs` is.
  const modifiedMs = Number(exact.mtimeNs / 1_000_000_000n) * 1000 + Number(exact.mtimeNs % 1_000_000_000n) / 1e6;
  return { sizeBytes: Number(exact.size), modifiedMs, identity: identify(exact) };
}

function identify({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}
