/** One directory (IFD) of a TIFF file: the description of one image. */
import { count, type Finding } from '../finding.ts';
import type { TiffRejectionCode } from './finding.ts';
import { type PagedReader, uintAt } from './reader.ts';

/** TIFF 6.0, section 8, Supplement 1 of its authors, and the tags of EER. */
const TAG = {
  subfileType: 254,
  width: 256,
  height: 257,
  bits: 258,
  compression: 259,
  photometric: 262,
  description: 270,
  stripOffsets: 273,
  samples: 277,
  rowsPerStrip: 278,
  stripCounts: 279,
  xResolution: 282,
  planar: 284,
  resolutionUnit: 296,
  software: 305,
  predictor: 317,
  tileWidth: 322,
  tileHeight: 323,
  tileOffsets: 324,
  tileCounts: 325,
  sampleFormat: 339,
  eerMetadata: 65_001,
  eerSkipBits: 65_007,
  eerHorizontalBits: 65_008,
  eerVerticalBits: 65_009,
} as const;

const TYPE_BYTES: Readonly<Record<number, number>> = {
  1: 1,
  2: 1,
  3: 2,
  4: 4,
  5: 8,
  6: 1,
  7: 1,
  8: 2,
  9: 4,
  10: 8,
  11: 4,
  12: 8,
  13: 4,
  16: 8,
  17: 8,
  18: 8,
};
const RATIONAL = 5;
/** Directories of cameras have about 20. */
const MAX_ENTRIES = 4_096;
/** Of a strip without RowsPerStrip: all rows (TIFF 6.0). */
const ALL_ROWS = 2 ** 32 - 1;

/** Values of one tag. */
export interface TiffField {
  readonly type: number;
  readonly count: number;
  /** Where the values are, bytes. */
  readonly at: number;
  /** The first value when it is in the entry itself; null: it is elsewhere, or no whole number. */
  readonly first: number | null;
}

export interface TiffDirectory {
  /** Where the next directory is; 0: this is the last one. */
  readonly next: number;
  readonly width: number;
  readonly height: number;
  /** Of one sample. */
  readonly bits: number;
  readonly samples: number;
  /** 1 unsigned, 2 signed, 3 floating point. */
  readonly sampleFormat: number;
  readonly compression: number;
  readonly predictor: number;
  /** The samples of a pixel are in different strips. */
  readonly isPlanar: boolean;
  /** A smaller version of another image. */
  readonly isReduced: boolean;
  readonly isTiled: boolean;
  /** Of a strip or tile. */
  readonly blockWidth: number;
  readonly blockHeight: number;
  /** Null: missing. */
  readonly offsets: TiffField | null;
  readonly counts: TiffField | null;
  /** Bits of the run, and of the horizontal and vertical position inside a pixel; null: not given. */
  readonly eerBits: readonly [number, number, number] | null;
  /** XResolution with its unit, pixels; null: not given. */
  readonly perCentimetre: number | null;
  readonly description: TiffField | null;
  readonly software: TiffField | null;
  readonly eerMetadata: TiffField | null;
}

/** @throws what the source throws. */
export async function readDirectory(
  reader: PagedReader,
  offset: number,
  isBig: boolean,
): Promise<TiffDirectory | Finding<TiffRejectionCode>> {
  const [countBytes, entryBytes, wordBytes] = isBig ? ([8, 20, 8] as const) : ([2, 12, 4] as const);
  if (!reader.has(offset, countBytes)) return beyond(offset, reader);
  const entries = await reader.uint(offset, countBytes);
  if (entries === 0 || entries > MAX_ENTRIES) {
    const message = `The directory at byte ${count(offset)} has ${count(entries)} entries, so it is not one.`;
    return { code: 'directory_unreadable', message };
  }
  const start = offset + countBytes;
  if (!reader.has(start, entries * entryBytes + wordBytes)) return beyond(offset, reader);
  const bytes = await reader.bytes(start, entries * entryBytes + wordBytes);
  const view = new DataView(bytes.buffer);
  const word = (at: number) =>
    isBig ? Number(view.getBigUint64(at, reader.isLittle)) : view.getUint32(at, reader.isLittle);
  const fields = new Map<number, TiffField>();
  for (let at = 0; at < entries * entryBytes; at += entryBytes) {
    const [tag, type] = [view.getUint16(at, reader.isLittle), view.getUint16(at + 2, reader.isLittle)];
    const values = word(at + 4);
    const bytesOfOne = TYPE_BYTES[type] ?? 1;
    const inline = at + 4 + wordBytes;
    const isInline = bytesOfOne * values <= wordBytes;
    const first =
      isInline && values > 0 && type !== RATIONAL ? uintAt(view, inline, bytesOfOne, reader.isLittle) : null;
    fields.set(tag, { type, count: values, at: isInline ? start + inline : word(inline), first });
  }
  return await describe(reader, fields, word(entries * entryBytes));
}

/** A value of a field; null when there is none, it is no number, or it is beyond the file. */
async function readValue(reader: PagedReader, field: TiffField | null, index = 0): Promise<number | null> {
  if (!field || index >= field.count) return null;
  if (index === 0 && field.first !== null) return field.first;
  const bytes = TYPE_BYTES[field.type];
  if (bytes === undefined || !reader.has(field.at + index * bytes, bytes)) return null;
  const at = field.at + index * bytes;
  if (field.type !== RATIONAL) return await reader.uint(at, bytes as 1 | 2 | 4 | 8);
  const divisor = await reader.uint(at + 4, 4);
  return divisor === 0 ? null : (await reader.uint(at, 4)) / divisor;
}

/** Some values of a field, which must have them. @throws RangeError beyond the file. */
export async function readUints(
  reader: PagedReader,
  field: TiffField,
  from: number,
  values: number,
): Promise<readonly number[]> {
  if (values === 1 && from === 0 && field.first !== null) return [field.first];
  const bytes = TYPE_BYTES[field.type] ?? 1;
  const view = new DataView((await reader.bytes(field.at + from * bytes, values * bytes)).buffer);
  const { isLittle } = reader;
  return Array.from({ length: values }, (_, index) => uintAt(view, index * bytes, bytes, isLittle));
}

/** True when all values of a field are in the file. */
export function isInside({ at, count: values, type }: TiffField, { sizeBytes }: PagedReader): boolean {
  return at + values * (TYPE_BYTES[type] ?? 1) <= sizeBytes;
}

/** The text of a field, at most `most` bytes of it. Null when it is missing, empty or beyond the file. */
export async function readText(reader: PagedReader, field: TiffField | null, most: number): Promise<string | null> {
  if (!field) return null;
  const length = Math.min(most, field.count * (TYPE_BYTES[field.type] ?? 1));
  if (!reader.has(field.at, length)) return null;
  const text = new TextDecoder().decode(await reader.bytes(field.at, length));
  return text.replace(/\0.*$/s, '').trim() || null;
}

async function describe(
  reader: PagedReader,
  fields: ReadonlyMap<number, TiffField>,
  next: number,
): Promise<TiffDirectory> {
  const field = (tag: number) => fields.get(tag) ?? null;
  const number = (tag: number, otherwise: number) => fields.get(tag)?.first ?? otherwise;
  /** Of tags with a value for each sample. */
  const first = async (tag: number, otherwise: number) => {
    const found = field(tag);
    return found === null ? otherwise : (found.first ?? (await readValue(reader, found)) ?? otherwise);
  };
  const [width, height] = [number(TAG.width, 0), number(TAG.height, 0)];
  const isTiled = fields.has(TAG.tileWidth) || fields.has(TAG.tileOffsets);
  const rowsPerStrip = Math.min(number(TAG.rowsPerStrip, ALL_ROWS), height);
  const eerTags = [TAG.eerSkipBits, TAG.eerHorizontalBits, TAG.eerVerticalBits];
  const [skip = null, horizontal = null, vertical = null] = eerTags.map((tag) => field(tag)?.first ?? null);
  const resolution = fields.has(TAG.xResolution) ? await readValue(reader, field(TAG.xResolution)) : null;
  const unit = number(TAG.resolutionUnit, 2);
  return {
    next,
    width,
    height,
    bits: await first(TAG.bits, 1),
    samples: number(TAG.samples, 1),
    sampleFormat: await first(TAG.sampleFormat, 1),
    compression: number(TAG.compression, 1),
    predictor: number(TAG.predictor, 1),
    isPlanar: number(TAG.planar, 1) === 2,
    isReduced: (number(TAG.subfileType, 0) & 1) === 1,
    isTiled,
    blockWidth: isTiled ? number(TAG.tileWidth, 0) : width,
    blockHeight: isTiled ? number(TAG.tileHeight, 0) : rowsPerStrip,
    // Some programs write tiles under the tags of strips.
    offsets: (isTiled ? field(TAG.tileOffsets) : null) ?? field(TAG.stripOffsets),
    counts: (isTiled ? field(TAG.tileCounts) : null) ?? field(TAG.stripCounts),
    eerBits: skip === null || horizontal === null || vertical === null ? null : [skip, horizontal, vertical],
    perCentimetre: resolution === null || unit === 1 ? null : resolution / (unit === 2 ? 2.54 : 1),
    description: field(TAG.description),
    software: field(TAG.software),
    eerMetadata: field(TAG.eerMetadata),
  };
}

function beyond(offset: number, { sizeBytes }: PagedReader): Finding<TiffRejectionCode> {
  const message =
    `A directory should be at byte ${count(offset)}, but the file has ${count(sizeBytes)}: its end is missing, ` +
    'or the program that wrote it has not finished.';
  return { code: 'directory_beyond_file', message };
}
