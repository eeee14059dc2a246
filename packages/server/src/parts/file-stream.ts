/** A stretch of a file as a stream, read through the store's wrapped calls. */
import { Readable } from 'node:stream';
import type { DiskCalls, FileHandle } from './disk-calls.ts';
import { BytesGone } from './store.ts';

const READ_BUFFER_BYTES = 256 * 1024;

/** @param end inclusive. The stream closes `handle`; it fails when the file is shorter than `end` says. */
export function streamFile(
  calls: DiskCalls,
  handle: FileHandle,
  { start, end }: { start: number; end: number },
): Readable {
  let at = start;
  return new Readable({
    highWaterMark: READ_BUFFER_BYTES,
    async read() {
      try {
        const target = Buffer.allocUnsafeSlow(Math.min(READ_BUFFER_BYTES, end + 1 - at));
        if (target.length === 0) {
          this.push(null);
          return;
        }
        const count = await calls.read(handle, target, at);
        if (count === 0) throw new BytesGone('The file is shorter than its record says.');
        at += count;
        this.push(target.subarray(0, count));
      } catch (error) {
        this.destroy(error as Error);
      }
    },
    destroy(error, done) {
      // What was read is right, whatever closing says.
      calls.close(handle).then(
        () => done(error),
        () => done(error),
      );
    },
  });
}
