import { HEADER_BYTES } from './layout.ts';
import { bytesPerVoxel } from './mode.ts';

/** The fields that determine the size of a file. */
export interface Dimensions {
  readonly nx: number;
  readonly ny: number;
  readonly nz: number;
  readonly mode: number;
  readonly nsymbt: number;
}

interface ExactSize {
  /** Bytes of the whole file. */
  readonly bytes: bigint;
  /** True when the rows of a mode 101 file are not padded to whole bytes. */
  readonly isUnpadded: boolean;
}

/**
 * The exact size of the file that a header describes: 1024 + NSYMBT + row bytes × NY × NZ, where NZ counts all
 * sections. BigInt, because three int32 dimensions go far beyond 2^53. Null when the size is undefined: MRCZ, unknown
 * modes, a negative NSYMBT.
 *
 * A row of mode 101 is padded to whole bytes when NX is odd (IMOD's format text). RELION does not pad, and writes odd
 * NX only with even NY. `declaredBytes`, the size of the file, decides between the two.
 */
export function computeFileSize({ nx, ny, nz, mode, nsymbt }: Dimensions, declaredBytes?: number): ExactSize | null {
  const voxelBytes = bytesPerVoxel(mode);
  if (voxelBytes === null || nsymbt < 0) return null;
  const rowBytes = BigInt(Math.ceil(nx * voxelBytes));
  const rows = BigInt(ny) * BigInt(nz);
  const beforeData = BigInt(HEADER_BYTES + nsymbt);
  if (mode === 101 && nx % 2 === 1 && ny % 2 === 0) {
    const bytes = beforeData + (BigInt(nx) * rows) / 2n;
    if (Number(bytes) === declaredBytes) return { bytes, isUnpadded: true };
  }
  return { bytes: beforeData + rowBytes * rows, isUnpadded: false };
}
