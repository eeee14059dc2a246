/** A stretch of a file as a stream, read through the store's wrapped calls. */
import { Readable } from 'node:stream';
import { BytesGone } from '../errors.ts';
import type { DiskCalls, FileHandle } from './file-system.ts';

const SMALL_READ_BYTES = 64 * 1024;
const LARGE_READ_BYTES = 256 * 1024;
/** What large reads of all streams together may hold in addition to small ones. */
const MAX_LARGE_BYTES = 64 * 1024 * 1024;
/** One read waits in the stream, and one in the connection that it is piped into. */
const HELD_READS = 2;

/** What a stream holds, bytes, when its reader takes nothing and there are no large reads left. */
export const STREAM_BYTES = HELD_READS * SMALL_READ_BYTES;

/** Large reads cost less for each byte. All streams of a store share a bounded amount of them. */
export class LargeReads {
  readonly #maxBytes: number;
  #heldBytes = 0;

  constructor(maxBytes = MAX_LARGE_BYTES) {
    this.#maxBytes = maxBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** @returns false when so much is not left. */
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
  /** Of the reads that may still be held: what was taken for each. */
  const taken: number[] = [];

  function nextReadBytes(): number {
    // A reader that takes nothing has got no further than this.
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
      // What was read is right, whatever closing says.
      calls.close(handle).then(
        () => done(error),
        () => done(error),
      );
    },
  });
}
