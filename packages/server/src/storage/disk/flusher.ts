/**
 * Flushes written bytes while more arrive, so that the fsync of a publish is short for any size of file. Limits the
 * unflushed bytes; above the limit writers wait, and with them the sockets.
 */
import { fdatasync } from 'node:fs';
import { durableStep } from '../../durable-step.ts';
import { diskCalls } from './call-gate.ts';

/** Unflushed bytes at which writers wait. At a few hundred MB/s this is a fraction of a second of flushing. */
const WINDOW_BYTES = 128 * 1024 * 1024;
/** A flush starts when a file has this many unflushed bytes. */
const FLUSH_BYTES = 32 * 1024 * 1024;
/** Without writes for this time, the remaining bytes are flushed, so that a publish does not wait. */
const QUIET_MS = 200;

interface DirtyFile {
  fd: number;
  uploadId: string;
  unflushedBytes: number;
  /** The last flush has succeeded. It flushes all bytes of the file, whoever wrote them. */
  isFlushed: boolean;
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
   * @param onFailure the disk has lost written bytes. Linux reports this once; a later fsync of the same file succeeds,
   *   although the bytes are lost. Callers that wait for the flush also wait for this callback.
   */
  constructor(onFailure: (uploadId: string) => Promise<void> | void) {
    this.#onFailure = onFailure;
    this.#quietTimer = setTimeout(() => {
      this.#quiet = true;
      this.#flushNext();
    }, QUIET_MS).unref();
  }

  /** Undefined when writers may continue, otherwise a promise to await. */
  whenWritable(): Promise<void> | undefined {
    return this.#unflushedBytes < WINDOW_BYTES ? undefined : this.#writable.promise;
  }

  noteWritten(uploadId: string, fd: number, bytes: number): void {
    const file = this.#files.get(fd) ?? { fd, uploadId, unflushedBytes: 0, isFlushed: false };
    file.unflushedBytes += bytes;
    this.#files.set(fd, file);
    this.#unflushedBytes += bytes;
    this.#quiet = false;
    this.#quietTimer.refresh();
    this.#flushNext();
  }

  /**
   * To be called before a file is closed whose bytes are kept: flushes the remaining bytes, and forgets the file.
   *
   * @returns false when nothing was written through this descriptor, or its last flush has failed.
   */
  async finish(fd: number): Promise<boolean> {
    while (this.#flushing === fd) await this.#flushed;
    const file = this.#files.get(fd);
    const unflushedBytes = file?.unflushedBytes ?? 0;
    // No other flush of it starts from here on.
    await this.forget(fd);
    if (!file) return false;
    if (unflushedBytes > 0) file.isFlushed = await this.#flush(fd, file.uploadId);
    return file.isFlushed;
  }

  /** To be called before a file is closed: waits for its running flush, and forgets the file. */
  async forget(fd: number): Promise<void> {
    while (this.#flushing === fd) await this.#flushed;
    this.#settle(fd, this.#files.get(fd)?.unflushedBytes ?? 0);
    this.#files.delete(fd);
  }

  /** Flushes one file after the other while one has enough unflushed bytes. */
  #flushNext(): void {
    const file = this.#flushing === null ? this.#dirtiest() : undefined;
    if (!file) return;
    const { fd, uploadId, unflushedBytes } = file;
    this.#flushing = fd;
    this.#flushed = this.#flush(fd, uploadId).then((isFlushed) => {
      file.isFlushed = isFlushed;
      this.#flushing = null;
      this.#settle(fd, unflushedBytes);
      this.#flushNext();
    });
  }

  /** @returns false when it has failed. */
  async #flush(fd: number, uploadId: string): Promise<boolean> {
    const error = await diskCalls.run(() =>
      durableStep('disk.flush', () => new Promise((resolve) => fdatasync(fd, resolve))),
    );
    if (error) await this.#onFailure(uploadId);
    return !error;
  }

  #dirtiest(): DirtyFile | undefined {
    let dirtiest: DirtyFile | undefined;
    for (const file of this.#files.values()) {
      if (file.unflushedBytes > (dirtiest?.unflushedBytes ?? 0)) dirtiest = file;
    }
    // Many files with few bytes each can also reach the limit.
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
