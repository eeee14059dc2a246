/** Values of an MRC header as text. */
import { describePixelSize } from '@cryolift/mrc';
import type { FileRecord } from '@cryolift/protocol/messages';
import { formatCount, formatNumber } from '../format.ts';

type Mrc = NonNullable<FileRecord['mrc']>;

/** Along X, Y and Z, however the axes are stored. */
export function dimsOf({ nx, ny, nz, geometry }: Mrc): string {
  const [x = nx, y = ny, z = nz] = geometry?.size ?? [];
  return [x, y, ...(z === 1 && nz === 1 ? [] : [z])].map(formatCount).join(' × ');
}

/** Å per pixel, or per voxel of a volume; null when the header has no pixel size. */
export function voxelOf({ kind, voxel_size: size }: Mrc): string | null {
  return describePixelSize({ kind, voxel_size: size as [number, number, number] | null }, formatNumber);
}
