/** Decodes zstd frames of a known length. */
import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import { BytesDamaged } from '../errors.ts';
import { FOOTER_BYTES, parseSeekTable, type SeekTable, tableBytes } from './seek-table.ts';

const decompress = promisify(zstdDecompress);

/** Reads `length` stored bytes from `offset` on. */
export type ReadStored = (offset: number, length: number) => Promise<Buffer>;

/** @param storedBytes of frames and table. @throws BytesDamaged when there is no valid table. */
export async function readSeekTable(read: ReadStored, storedBytes: number): Promise<SeekTable> {
  if (storedBytes < FOOTER_BYTES) throw damaged('they are too short');
  const length = tableBytes(await read(storedBytes - FOOTER_BYTES, FOOTER_BYTES));
  if (length === null || length > storedBytes) throw damaged('they have no seek table');
  const table = parseSeekTable(await read(storedBytes - length, length), storedBytes);
  if (!table) throw damaged('their seek table is wrong');
  return table;
}

/** @param bytes of the decoded frame. @throws BytesDamaged. */
export async function decodeFrame(frame: Buffer, bytes: number): Promise<Buffer> {
  // No frame makes more than it declares.
  const decoded = await decompress(frame, { maxOutputLength: Math.max(1, bytes) }).catch((cause: unknown) => {
    throw damaged('a frame cannot be decoded', cause);
  });
  if (decoded.length !== bytes) throw damaged('a frame has another length than the seek table says');
  return decoded;
}

/**
 * Decoded bytes `start` to `end` (inclusive).
 *
 * @param open the stored bytes between two offsets (inclusive).
 * @throws BytesDamaged, and the errors of `open` and of its stream.
 */
export async function* decodeRange(
  table: SeekTable,
  { start, end }: { start: number; end: number },
  open: (range: { start: number; end: number }) => Promise<AsyncIterable<Buffer>>,
): AsyncGenerator<Buffer> {
  const frames = table.find(start, end);
  let frame = frames.first;
  for await (const stored of inFrames(await open(frames), table, frames.first)) {
    const offset = table.offsetOf(frame);
    const decoded = await decodeFrame(stored, table.lengthOf(frame).bytes);
    yield decoded.subarray(Math.max(0, start - offset), end + 1 - offset);
    frame++;
  }
  if (frame <= frames.last) throw damaged('they end in a frame');
}

/** Cuts stored bytes into frames. */
async function* inFrames(stored: AsyncIterable<Buffer>, table: SeekTable, first: number): AsyncGenerator<Buffer> {
  let frame = first;
  let pieces: Buffer[] = [];
  let missing = table.lengthOf(frame).storedBytes;
  for await (const chunk of stored) {
    for (let from = 0; from < chunk.length; ) {
      const piece = chunk.subarray(from, from + missing);
      pieces.push(piece);
      from += piece.length;
      missing -= piece.length;
      if (missing > 0) continue;
      yield Buffer.concat(pieces);
      pieces = [];
      frame++;
      missing = frame < table.frames ? table.lengthOf(frame).storedBytes : Number.POSITIVE_INFINITY;
    }
  }
}

function damaged(what: string, cause?: unknown): BytesDamaged {
  return new BytesDamaged(`The compressed bytes of the file are damaged: ${what}.`, { cause });
}
