/** Which section of an upload can be shown already. */
import { centralSection, sectionBytes } from '@cryolift/mrc';
import type { FileRecord } from '@cryolift/protocol/messages';

type Mrc = NonNullable<FileRecord['mrc']>;

/** The central section and so many others are looked at. */
const OTHERS = 16;

/**
 * The central section, or else the nearest of some others, whose parts are all acknowledged. Null when there is none,
 * and when the sections of the file run along X or Y.
 */
export function arrivedSection(mrc: Mrc, partSizeBytes: number, stored: { has(idx: number): boolean }): number | null {
  const { nz, geometry } = mrc;
  if (!stored.has(0) || (geometry?.axes !== undefined && geometry.axes[2] !== 3)) return null;
  const central = centralSection(mrc, 'z');
  const others = Array.from({ length: OTHERS }, (_, i) => Math.floor((i * nz) / OTHERS));
  const candidates = [central, ...others].sort((a, b) => Math.abs(a - central) - Math.abs(b - central));
  return candidates.find((slice) => isStored(mrc, slice, partSizeBytes, stored)) ?? null;
}

function isStored(mrc: Mrc, slice: number, partSizeBytes: number, stored: { has(idx: number): boolean }): boolean {
  const { start, end } = sectionBytes(mrc, slice, slice + 1);
  const last = Math.floor((end - 1) / partSizeBytes);
  for (let idx = Math.floor(start / partSizeBytes); idx <= last; idx++) if (!stored.has(idx)) return false;
  return true;
}
