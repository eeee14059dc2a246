/** The descriptors of staging files, one per upload, shared by its parts; and whether they are still the same files. */

import { BytesGone } from '../errors.ts';
import type { StagedUpload } from '../places.ts';
import { CREATE, type DiskCalls, type FileHandle, READ_WRITE } from './file-system.ts';
import type { Flusher } from './flusher.ts';

/** How long a staging file stays open without an active part; long enough for a whole upload. */
const KEEP_OPEN_MS = 10_000;

/** A staging file that parts are being written into. */
interface OpenFile {
  handle: Promise<FileHandle>;
  users: number;
  closing: NodeJS.Timeout | undefined;
  closed: boolean;
  /** All bytes of the file were flushed when it was closed. */
  flushed: boolean;
}

type Fate = 'keep' | 'drop';

export class StagedFiles {
  readonly #calls: DiskCalls;
  readonly #flusher: Flusher;
  readonly #pathOf: (uploadId: string) => string;
  readonly #open = new Map<string, OpenFile>();
  /** Files that are being closed; their flush may still report lost bytes. */
  readonly #closing = new Map<string, Promise<void>>();
  /** The identity of the file that this process has used for the bytes of an upload (`identityOf`). */
  readonly #identities = new Map<string, string>();

  constructor(calls: DiskCalls, flusher: Flusher, pathOf: (uploadId: string) => string) {
    this.#calls = calls;
    this.#flusher = flusher;
    this.#pathOf = pathOf;
  }

  /**
   * A descriptor to write at; makes the file of an upload that has no parts.
   *
   * @returns call `release` when no write is running any more.
   * @throws BytesGone when the file is missing or was replaced, and parts are recorded or being written; or the errors
   * of the calls.
   */
  async use(upload: StagedUpload): Promise<{ fd: number; release(): void }> {
    const file = this.#take(upload);
    try {
      const handle = await file.handle;
      const { isRemoved, sizeBytes } = this.#calls.examine(handle);
      if (isRemoved || sizeBytes !== upload.sizeBytes) {
        // Removed or truncated by another program: new bytes would be lost, or would hide the loss.
        throw new BytesGone('The staging file of this upload was removed or truncated.');
      }
      return { fd: handle.fd, release: () => this.#release(upload.id, file) };
    } catch (error) {
      if (this.#open.get(upload.id) === file) this.#open.delete(upload.id);
      this.#release(upload.id, file);
      throw error;
    }
  }

  /** @throws BytesGone when it is another file than this process has used before. */
  assertSame(uploadId: string, identity: string): void {
    if ((this.#identities.get(uploadId) ?? identity) !== identity) {
      throw new BytesGone('The staging file of this upload was replaced.');
    }
    this.#identities.set(uploadId, identity);
  }

  /** The next file is accepted as the right one. */
  forget(uploadId: string): void {
    this.#identities.delete(uploadId);
  }

  /**
   * Closes the descriptor of an upload; the caller ensures that no write is running.
   *
   * @param bytes kept bytes are flushed first, through the descriptor that wrote them, because a loss may not be
   * reported to   a later one.
   * @returns true when all bytes of the file are flushed; false when that is not known, as for those of an earlier process.
   */
  async close(uploadId: string, bytes: Fate): Promise<boolean> {
    const file = this.#open.get(uploadId);
    if (file) this.#close(uploadId, file, bytes);
    await this.#closing.get(uploadId);
    return file?.flushed ?? false;
  }

  async closeAll(): Promise<void> {
    // Not during a flush, whose failure would count as lost bytes.
    for (const [uploadId, file] of this.#open) this.#close(uploadId, file, 'drop');
    await Promise.all(this.#closing.values());
  }

  #take(upload: StagedUpload): OpenFile {
    let file = this.#open.get(upload.id);
    if (!file) {
      file = { handle: this.#openFile(upload), users: 0, closing: undefined, closed: false, flushed: false };
      this.#open.set(upload.id, file);
    }
    clearTimeout(file.closing);
    file.users++;
    return file;
  }

  async #openFile(upload: StagedUpload): Promise<FileHandle> {
    const isNew = upload.empty && !this.#identities.has(upload.id);
    const handle = await this.#calls.open(this.#pathOf(upload.id), isNew ? CREATE : READ_WRITE);
    try {
      if (isNew) await this.#calls.truncate(handle, upload.sizeBytes);
      this.assertSame(upload.id, this.#calls.examine(handle).identity);
      return handle;
    } catch (error) {
      await this.#calls.close(handle).catch(() => {});
      throw error;
    }
  }

  #release(uploadId: string, file: OpenFile): void {
    if (--file.users > 0 || file.closed) return;
    file.closing = setTimeout(() => this.#close(uploadId, file, 'keep'), KEEP_OPEN_MS).unref();
  }

  /** Closes this file only: after a loss the upload may have another one open. */
  #close(uploadId: string, file: OpenFile, bytes: Fate): void {
    if (this.#open.get(uploadId) === file) this.#open.delete(uploadId);
    clearTimeout(file.closing);
    file.closed = true;
    const before = this.#closing.get(uploadId);
    const closing = this.#flushAndClose(file, bytes)
      .then(() => before)
      .then(() => {
        if (this.#closing.get(uploadId) === closing) this.#closing.delete(uploadId);
      });
    this.#closing.set(uploadId, closing);
  }

  async #flushAndClose(file: OpenFile, bytes: Fate): Promise<void> {
    // The caller of the open got the error.
    const handle = await file.handle.catch(() => null);
    if (!handle) return;
    if (bytes === 'keep') file.flushed = await this.#flusher.finish(handle.fd);
    else await this.#flusher.forget(handle.fd);
    // Its error is ignored, because the result of the flush is known.
    await this.#calls.close(handle).catch(() => {});
  }
}
