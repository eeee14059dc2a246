/**
 * A range of a file as a stream, read with the wrapped calls of the storage. Piped into an answer it uses two buffers in
 * turn: one is being sent while the other one is being read into.
 */
import { Readable, type Writable } from 'node:stream';
import { BytesGone } from '../errors.ts';
import type { DiskCalls, FileHandle } from './file-system.ts';
import { ReadBuffers } from './read-buffers.ts';

const SMALL_READ_BYTES = 64 * 1024;
/** Of a stream that is not piped. */
const KEPT_READ_BYTES = 256 * 1024;
/** Buffers of a piped stream. */
const HELD_READS = 2;

/** Bytes of a stream whose reader is stalled, without large reads. */
export const STREAM_BYTES = HELD_READS * SMALL_READ_BYTES;

/** The stream closes its handle. It fails when the file is shorter than `end` says. */
export class FileStream extends Readable {
  readonly #calls: DiskCalls;
  readonly #handle: FileHandle;
  readonly #buffers: ReadBuffers;
  readonly #start: number;
  /** Inclusive. */
  readonly #end: number;
  #at: number;
  /** Large buffers of this stream. */
  readonly #large = new Set<Buffer>();

  /**
   * @param range `end` is inclusive.
   * @param buffers for `pipe`.
   */
  constructor(
    calls: DiskCalls,
    handle: FileHandle,
    { start, end }: { start: number; end: number },
    buffers = new ReadBuffers(0),
  ) {
    super({ highWaterMark: SMALL_READ_BYTES });
    this.#calls = calls;
    this.#handle = handle;
    this.#buffers = buffers;
    this.#start = start;
    this.#end = end;
    this.#at = start;
  }

  get #leftBytes(): number {
    return this.#end + 1 - this.#at;
  }

  /** Must not be combined with other ways to read the stream. */
  override pipe<Destination extends NodeJS.WritableStream>(destination: Destination, options?: { end?: boolean }) {
    this.#sendTo(destination as unknown as Writable, options?.end !== false).catch((error: Error) =>
      this.destroy(error),
    );
    return destination;
  }

  /** For readers that keep the bytes: each read has a buffer of its own. */
  override async _read(): Promise<void> {
    try {
      if (this.#leftBytes === 0) {
        this.push(null);
        return;
      }
      const bytes = this.#at < this.#start + STREAM_BYTES ? SMALL_READ_BYTES : KEPT_READ_BYTES;
      this.push(await this.#readInto(Buffer.allocUnsafeSlow(Math.min(bytes, this.#leftBytes))));
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // A read or a write may still use them.
    this.#giveBack(false);
    // The bytes were read correctly, so an error of close is ignored.
    this.#calls.close(this.#handle).then(
      () => done(error),
      () => done(error),
    );
  }

  /** Returns early when the destination does not take the bytes: who closed it destroys this stream, too. */
  async #sendTo(destination: Writable, ends: boolean): Promise<void> {
    let sent: Buffer | null = null;
    let buffer = this.#makeSmall();
    let bytes = await this.#readInto(buffer);
    while (this.#leftBytes > 0) {
      if (this.destroyed) return;
      const taken = write(destination, bytes);
      const next = this.#grow(sent ?? this.#makeSmall());
      const [nextBytes, isTaken] = await Promise.all([this.#readInto(next), taken]);
      if (!isTaken) return;
      [sent, buffer, bytes] = [buffer, next, nextBytes];
    }
    if (this.destroyed || !(await write(destination, bytes)) || this.destroyed) return;
    this.#giveBack(true);
    if (ends) destination.end();
    this.push(null);
    this.resume();
  }

  #makeSmall(): Buffer {
    return Buffer.allocUnsafeSlow(Math.min(SMALL_READ_BYTES, this.#leftBytes));
  }

  /** @returns a large buffer instead of a small one, when the client reads and there is one. */
  #grow(buffer: Buffer): Buffer {
    // A stalled reader has received at most this.
    if (this.#at < this.#start + STREAM_BYTES || this.#large.has(buffer)) return buffer;
    const large = this.#buffers.take();
    if (!large) return buffer;
    this.#large.add(large);
    return large;
  }

  #giveBack(areFree: boolean): void {
    for (const buffer of this.#large) this.#buffers.giveBack(buffer, areFree);
    this.#large.clear();
  }

  /** @returns the bytes that were read. @throws BytesGone, UploadError. */
  async #readInto(buffer: Buffer): Promise<Buffer> {
    const target = buffer.length > this.#leftBytes ? buffer.subarray(0, this.#leftBytes) : buffer;
    const count = await this.#calls.read(this.#handle, target, this.#at);
    if (count === 0) throw new BytesGone('The file is shorter than its record says.');
    this.#at += count;
    return count === target.length ? target : target.subarray(0, count);
  }
}

/** @returns whether the destination has taken the bytes: it does not read from the buffer any more. */
function write(destination: Writable, bytes: Buffer): Promise<boolean> {
  return new Promise((resolve) => destination.write(bytes, (error) => resolve(!error)));
}
