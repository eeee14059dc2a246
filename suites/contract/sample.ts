/** Files to upload. */
import { createHash, randomBytes } from 'node:crypto';
import { buildHeader, MRC_HEADER_BYTES } from '@cryolift/mrc';

/** Wide as a camera has it, and larger than a frame of the compressed file. */
const MOVIE = { nx: 1040, ny: 520, nz: 4 };

/** A correct MRC file of this size (above 1,024 bytes), no two of them alike. */
export function makeMrc(sizeBytes: number): Buffer {
  const voxels = randomBytes(sizeBytes - MRC_HEADER_BYTES);
  return Buffer.concat([buildHeader({ nx: voxels.length, ny: 1, nz: 1, mode: 0 }), voxels]);
}

/** A movie of counted electrons, 0 to 3 in a pixel; no two of them alike. */
export function makeMovie(shape: { nx: number; ny: number; nz: number; mode?: number } = MOVIE): Buffer {
  const header = buildHeader({ mode: 0, ...shape });
  const voxels = randomBytes(shape.nx * shape.ny * shape.nz * (shape.mode === 2 ? 4 : 1)).map((byte) => byte & 3);
  return Buffer.concat([header, voxels]);
}

export function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

export function sha256Hex(bytes: Uint8Array): string {
  return sha256(bytes).toString('hex');
}

/** The value of Content-Digest or Repr-Digest (RFC 9530). */
export function digestHeader(bytes: Uint8Array): string {
  return `sha-256=:${sha256(bytes).toString('base64')}:`;
}

/** A copy with one bit of the byte at `at` turned. */
export function flipBit(bytes: Uint8Array, at: number): Buffer {
  const flipped = Buffer.from(bytes);
  flipped[at] = (flipped[at] as number) ^ 1;
  return flipped;
}

export function shuffle<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, rank: Math.random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}
