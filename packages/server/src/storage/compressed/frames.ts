/** Compresses bytes to zstd frames (RFC 8878) with a seek table, in a thread of low priority. */
import { Worker } from 'node:worker_threads';
import { type FrameLength, printSeekTable } from './seek-table.ts';

/** Of the original in a frame: so much is decoded, and held in memory, to read one byte. */
export const FRAME_BYTES = 1024 * 1024;

/** @throws the reason of `signal`, and the errors of `original`. */
export async function* compressFrames(original: AsyncIterable<Buffer>, signal: AbortSignal): AsyncGenerator<Buffer> {
  const compressor = new FrameCompressor();
  const lengths: FrameLength[] = [];
  try {
    for await (const bytes of inFrames(original)) {
      signal.throwIfAborted();
      const frame = await compressor.compress(bytes);
      lengths.push({ storedBytes: frame.length, bytes: bytes.length });
      yield frame;
    }
    yield printSeekTable(lengths);
  } finally {
    await compressor.close();
  }
}

/** In pieces of `FRAME_BYTES`; the last one may be smaller. */
async function* inFrames(original: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let frame = Buffer.allocUnsafe(FRAME_BYTES);
  let filled = 0;
  for await (const chunk of original) {
    for (let from = 0; from < chunk.length; ) {
      const copied = chunk.copy(frame, filled, from);
      filled += copied;
      from += copied;
      if (filled < FRAME_BYTES) continue;
      yield frame;
      frame = Buffer.allocUnsafe(FRAME_BYTES);
      filled = 0;
    }
  }
  if (filled > 0) yield frame.subarray(0, filled);
}

class FrameCompressor {
  readonly #worker = new Worker(new URL('./frame-worker.ts', import.meta.url));

  async compress(bytes: Buffer): Promise<Buffer> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    this.#worker.once('message', resolve).once('error', reject);
    this.#worker.postMessage(bytes);
    try {
      return Buffer.from(await promise);
    } finally {
      this.#worker.off('message', resolve).off('error', reject);
    }
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
