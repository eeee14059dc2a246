/** Values of an MRC header as text. */
import { describePixelSize } from '@cryolift/mrc';
import type { FileRecord } from '@cryolift/protocol/messages';
import { formatCount, formatNumber } from '../format.ts';

type Mrc = NonNullable<FileRecord['mrc']>;

export function dimsOf({ nx, ny, nz }: Mrc): string {
  return [nx, ny, ...(nz === 1 ? [] : [nz])].map(formatCount).join(' × ');
}

/** Å per pixel, or per voxel of a volume; null when the header has no pixel size. */
export function voxelOf({ kind, voxel_size: size }: Mrc): string | null {
  return describePixelSize({ kind, voxel_size: size as [number, number, number] | null }, formatNumber);
}
