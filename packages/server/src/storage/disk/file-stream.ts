/** A range of a file as a stream, read with the wrapped calls of the storage. */
import { Readable } from 'node:stream';
import { BytesGone } from '../errors.ts';
import type { DiskCalls, FileHandle } from './file-system.ts';

const SMALL_READ_BYTES = 64 * 1024;
const LARGE_READ_BYTES = 256 * 1024;
/** Memory limit for large reads of all streams together. */
const MAX_LARGE_BYTES = 64 * 1024 * 1024;
/** Number of reads in memory: one in the stream, and one in the connection. */
const HELD_READS = 2;

/** Bytes of a stream whose reader is stalled, without large reads. */
export const STREAM_BYTES = HELD_READS * SMALL_READ_BYTES;

/** Large reads need less CPU time per byte. All streams of a storage share a limited amount. */
export class LargeReads {
  readonly #maxBytes: number;
  #heldBytes = 0;

  constructor(maxBytes = MAX_LARGE_BYTES) {
    this.#maxBytes = maxBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** @returns false when less is left. */
  take(bytes: number): boolean {
    if (this.#heldBytes + bytes > this.#maxBytes) return false;
    this.#heldBytes += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#heldBytes -= bytes;
  }
}

/** @param end inclusive. The stream closes `handle`; it fails when the file is shorter than `end` says. */
export function streamFile(
  calls: DiskCalls,
  handle: FileHandle,
  { start, end }: { start: number; end: number },
  largeReads: LargeReads,
): Readable {
  let at = start;
  /** Amount taken for each read that may still be in memory. */
  const taken: number[] = [];

  function nextReadBytes(): number {
    // A stalled reader has received at most this.
    if (at < start + STREAM_BYTES) return SMALL_READ_BYTES;
    if (taken.length === HELD_READS) largeReads.giveBack(taken.shift() ?? 0);
    const more = LARGE_READ_BYTES - SMALL_READ_BYTES;
    const isLarge = largeReads.take(more);
    taken.push(isLarge ? more : 0);
    return isLarge ? LARGE_READ_BYTES : SMALL_READ_BYTES;
  }

  return new Readable({
    highWaterMark: SMALL_READ_BYTES,
    async read() {
      try {
        const leftBytes = end + 1 - at;
        if (leftBytes === 0) {
          this.push(null);
          return;
        }
        const target = Buffer.allocUnsafeSlow(Math.min(nextReadBytes(), leftBytes));
        const count = await calls.read(handle, target, at);
        if (count === 0) throw new BytesGone('The file is shorter than its record says.');
        at += count;
        this.push(target.subarray(0, count));
      } catch (error) {
        this.destroy(error as Error);
      }
    },
    destroy(error, done) {
      for (const bytes of taken.splice(0)) largeReads.giveBack(bytes);
      // The bytes were read correctly, so an error of close is ignored.
      calls.close(handle).then(
        () => done(error),
        () => done(error),
      );
    },
  });
}
