import type { MrcHeader } from '../header/header.ts';
import { decodeLabel } from '../header/labels.ts';
import { HEADER_BYTES } from '../header/layout.ts';
import type { VoxelSource } from '../voxels/voxels.ts';
import type { Acquisition, SectionRecord } from './acquisition.ts';
import { readAgardRecords } from './agard.ts';
import { readFeiRecords } from './fei.ts';
import { type ExtendedLayout, extendedLayout, SYMMETRY_BYTES } from './layout.ts';
import { readSerialEmRecords } from './serialem.ts';

/** What an extended header says. */
export interface ExtendedHeader {
  readonly layout: ExtendedLayout;
  /** How the first image was taken; null when nothing is known of it. */
  readonly acquisition: Acquisition | null;
  /** Degrees, of the sections from the first on that have a record; empty when they are not stored. */
  readonly tilts: readonly number[];
  /** Operators of the space group. */
  readonly symmetry: readonly string[];
}

/** The most bytes that are read: the records of 1,024 images, for which FEI's programs leave room. */
export const MAX_EXTENDED_BYTES = 1024 * 888;
/** No space group has more operators. */
const MAX_OPERATORS = 192;

/**
 * Reads what is known of an extended header. Null when there is none or its layout is unknown; never throws.
 *
 * @param bytes the extended header, or its start.
 */
export function parseExtendedHeader(header: MrcHeader, bytes: Uint8Array): ExtendedHeader | null {
  const layout = extendedLayout(header);
  if (layout === null) return null;
  if (layout === 'symmetry') return { layout, acquisition: null, tilts: [], symmetry: readSymmetry(bytes) };
  const records = readRecords(layout, header, bytes.subarray(0, MAX_EXTENDED_BYTES));
  const tilts = records.map(({ tilt }) => tilt);
  const acquisition = records[0]?.acquisition ?? null;
  return {
    layout,
    acquisition: acquisition && Object.values(acquisition).some((value) => value !== null) ? acquisition : null,
    tilts: tilts.every((tilt) => tilt !== null) ? tilts : [],
    symmetry: [],
  };
}

/**
 * As `parseExtendedHeader`. Reads at most 888 KiB, whatever NSYMBT says. Rejects with the error of `source`.
 *
 * @param sizeBytes size of the whole file.
 */
export async function readExtendedHeader(
  source: VoxelSource,
  header: MrcHeader,
  sizeBytes: number,
): Promise<ExtendedHeader | null> {
  if (extendedLayout(header) === null) return null;
  const length = Math.max(0, Math.min(header.nsymbt, sizeBytes - HEADER_BYTES, MAX_EXTENDED_BYTES));
  const bytes = new Uint8Array(length);
  await source.read(HEADER_BYTES, bytes);
  return parseExtendedHeader(header, bytes);
}

function readRecords(
  layout: Exclude<ExtendedLayout, 'symmetry'>,
  header: MrcHeader,
  bytes: Uint8Array,
): SectionRecord[] {
  const isLittle = header.byteOrder === 'little';
  switch (layout) {
    case 'fei':
      return readFeiRecords(bytes, isLittle, header.nz);
    case 'serialem':
      return readSerialEmRecords(bytes, isLittle, header.nz, header);
    case 'agard':
      return readAgardRecords(bytes, isLittle, header.nz, header);
  }
}

function readSymmetry(bytes: Uint8Array): string[] {
  const count = Math.min(MAX_OPERATORS, Math.floor(bytes.length / SYMMETRY_BYTES));
  return Array.from({ length: count }, (_, index) =>
    decodeLabel(bytes.subarray(index * SYMMETRY_BYTES, (index + 1) * SYMMETRY_BYTES)),
  ).filter((operator) => operator !== '');
}
