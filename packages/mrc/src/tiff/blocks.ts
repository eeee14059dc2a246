/** The strips or tiles of an image: where its data are. */
import { count, type Finding } from '../finding.ts';
import { isEer, NO_COMPRESSION } from './compression.ts';
import { isInside, readUints, type TiffDirectory, type TiffField } from './directory.ts';
import type { TiffRejectionCode } from './finding.ts';
import type { PagedReader } from './reader.ts';

/** Entries of a table that are read at once. */
const BATCH = 1_024;

export interface Blocks {
  readonly blocks: number;
  readonly dataBytes: number;
  /** Blocks without any bytes. */
  readonly empty: number;
}

/** Strips or tiles that an image of this size has. */
function countBlocks({ width, height, blockWidth, blockHeight, isPlanar, samples }: TiffDirectory): number {
  return Math.ceil(width / blockWidth) * Math.ceil(height / blockHeight) * (isPlanar ? samples : 1);
}

/** Bytes of the rows of a block without compression. */
export function rowBytesOf({ blockWidth, bits, samples, isPlanar }: TiffDirectory): number {
  return Math.ceil((blockWidth * bits * (isPlanar ? 1 : samples)) / 8);
}

/**
 * Checks that all strips of an image are in the file.
 *
 * @param image its number, from 1. @param most how many strips are read.
 */
export async function checkBlocks(
  reader: PagedReader,
  directory: TiffDirectory,
  image: number,
  most: number,
): Promise<Blocks | Finding<TiffRejectionCode>> {
  const { offsets, isTiled, compression } = directory;
  const unit = isTiled ? 'tile' : 'strip';
  const expected = isEer(compression) ? (offsets?.count ?? 0) : countBlocks(directory);
  const counts = directory.counts ?? null;
  const isLone = counts === null && compression === NO_COMPRESSION && expected === 1;
  if (!offsets || offsets.count < expected || expected === 0 || (!isLone && (counts?.count ?? 0) < expected)) {
    const given = Math.min(offsets?.count ?? 0, isLone ? 1 : (counts?.count ?? 0));
    const message = `Image ${count(image)} needs ${count(expected)} ${unit}s, and has ${count(given)}.`;
    return { code: 'data_missing', message };
  }
  if (!isInside(offsets, reader) || (counts && !isInside(counts, reader))) {
    return {
      code: 'data_beyond_file',
      message: `The table of the ${unit}s of image ${count(image)} is beyond the file's end.`,
    };
  }
  let [dataBytes, empty] = [0, 0];
  const looked = Math.min(expected, most);
  for (let from = 0; from < looked; from += BATCH) {
    const size = Math.min(BATCH, looked - from);
    const places = await readUints(reader, offsets, from, size);
    const lengths = counts ? await readUints(reader, counts, from, size) : [neededBytes(directory, 0)];
    for (let index = 0; index < size; index++) {
      const [place, length] = [places[index] as number, lengths[index] as number];
      if (!reader.has(place, length)) return beyond(image, `${unit} ${count(from + index + 1)}`, place, length, reader);
      if (length === 0) empty++;
      dataBytes += length;
      const needed = compression === NO_COMPRESSION ? neededBytes(directory, from + index) : 0;
      if (length < needed) {
        const message =
          `${capital(unit)} ${count(from + index + 1)} of image ${count(image)} has ${count(length)} bytes; ` +
          `its pixels need ${count(needed)}.`;
        return { code: 'data_too_short', message };
      }
    }
  }
  return { blocks: expected, dataBytes, empty };
}

/** Where the data of a block are. Null: it has none. */
export async function findBlock(
  reader: PagedReader,
  directory: TiffDirectory,
  index: number,
): Promise<{ at: number; bytes: number }> {
  const { offsets, counts } = directory;
  const [at = 0] = await readUints(reader, offsets as TiffField, index, 1);
  const [bytes = 0] = counts ? await readUints(reader, counts, index, 1) : [neededBytes(directory, 0)];
  return { at, bytes };
}

function neededBytes(directory: TiffDirectory, index: number): number {
  const { height, blockHeight, isTiled } = directory;
  const strips = Math.ceil(height / blockHeight);
  const rows = isTiled ? blockHeight : Math.min(blockHeight, height - (index % strips) * blockHeight);
  return rowBytesOf(directory) * rows;
}

function beyond(
  image: number,
  block: string,
  place: number,
  length: number,
  { sizeBytes }: PagedReader,
): Finding<TiffRejectionCode> {
  const message =
    `${capital(block)} of image ${count(image)} should end at byte ${count(place + length)}, but the file has ` +
    `${count(sizeBytes)}: its end is missing.`;
  return { code: 'data_beyond_file', message };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
