/**
 * Brings written bytes to the disk while more arrive, so that a publish has little left to fsync, however large the
 * file. Bounds what is written and not flushed; beyond it writers wait, and with them the sockets.
 */
import { fdatasync } from 'node:fs';

/** Unflushed bytes at which writers wait. At a few hundred MB/s this is a fraction of a second of flushing. */
const WINDOW_BYTES = 128 * 1024 * 1024;
/** A flush begins once a file has this many unflushed bytes. */
const FLUSH_BYTES = 32 * 1024 * 1024;
/** When nothing was written for this long, what is left is flushed too, so that a publish finds nothing to wait for. */
const QUIET_MS = 200;

interface DirtyFile {
  fd: number;
  uploadId: string;
  unflushedBytes: number;
}

export class Flusher {
  readonly #files = new Map<number, DirtyFile>();
  #unflushedBytes = 0;
  /** The descriptor that is being flushed, and until when. */
  #flushing: number | null = null;
  #flushed: Promise<void> = Promise.resolve();
  #writable = Promise.withResolvers<void>();
  readonly #onFailure: (uploadId: string) => Promise<void> | void;
  #quiet = false;
  readonly #quietTimer: NodeJS.Timeout;

  /**
   * @param onFailure the disk did not take bytes that were written. Linux tells this once; a later fsync of the same file
   *   succeeds, although the bytes are gone. What it does is part of the flush: who waits for the one waits for the other.
   */
  constructor(onFailure: (uploadId: string) => Promise<void> | void) {
    this.#onFailure = onFailure;
    this.#quietTimer = setTimeout(() => {
      this.#quiet = true;
      this.#flushNext();
    }, QUIET_MS).unref();
  }

  /** Undefined when writers may go on, or what they must wait for. */
  whenWritable(): Promise<void> | undefined {
    return this.#unflushedBytes < WINDOW_BYTES ? undefined : this.#writable.promise;
  }

  noteWritten(uploadId: string, fd: number, bytes: number): void {
    const file = this.#files.get(fd) ?? { fd, uploadId, unflushedBytes: 0 };
    file.unflushedBytes += bytes;
    this.#files.set(fd, file);
    this.#unflushedBytes += bytes;
    this.#quiet = false;
    this.#quietTimer.refresh();
    this.#flushNext();
  }

  /** The file is about to be closed, and its bytes are to be kept: flushes what is left of them, and forgets it. */
  async finish(fd: number): Promise<void> {
    while (this.#flushing === fd) await this.#flushed;
    const { uploadId, unflushedBytes } = this.#files.get(fd) ?? { uploadId: '', unflushedBytes: 0 };
    // No other flush of it begins from here on.
    await this.forget(fd);
    if (unflushedBytes > 0) await this.#flush(fd, uploadId);
  }

  /** The file is about to be closed: waits for a flush of it under way, and forgets it. */
  async forget(fd: number): Promise<void> {
    while (this.#flushing === fd) await this.#flushed;
    this.#settle(fd, this.#files.get(fd)?.unflushedBytes ?? 0);
    this.#files.delete(fd);
  }

  /** Flushes one file after the other for as long as one has enough to flush. */
  #flushNext(): void {
    const file = this.#flushing === null ? this.#dirtiest() : undefined;
    if (!file) return;
    const { fd, uploadId, unflushedBytes } = file;
    this.#flushing = fd;
    this.#flushed = this.#flush(fd, uploadId).then(() => {
      this.#flushing = null;
      this.#settle(fd, unflushedBytes);
      this.#flushNext();
    });
  }

  async #flush(fd: number, uploadId: string): Promise<void> {
    const error = await new Promise((resolve) => fdatasync(fd, resolve));
    if (error) await this.#onFailure(uploadId);
  }

  #dirtiest(): DirtyFile | undefined {
    let dirtiest: DirtyFile | undefined;
    for (const file of this.#files.values()) {
      if (file.unflushedBytes > (dirtiest?.unflushedBytes ?? 0)) dirtiest = file;
    }
    // Many files with a little each can fill the window too.
    const enough = this.whenWritable() || this.#quiet ? 1 : FLUSH_BYTES;
    return dirtiest && dirtiest.unflushedBytes >= enough ? dirtiest : undefined;
  }

  #settle(fd: number, bytes: number): void {
    const file = this.#files.get(fd);
    if (!file) return;
    file.unflushedBytes -= bytes;
    this.#unflushedBytes -= bytes;
    this.#writable.resolve();
    this.#writable = Promise.withResolvers();
  }
}
