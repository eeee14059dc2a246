import type { Signedness, SignednessDecision } from '../kind/signedness.ts';
import type { VoxelLayout, VoxelSource } from './voxels.ts';

/** Evidence that the voxels outweigh. */
const WEAK: readonly SignednessDecision['evidence']['code'][] = ['version', 'default'];

/** Number of pieces that are read, evenly spread over the voxels, and the bytes of each. */
const PIECES = 64;
const PIECE_BYTES = 1024;

/**
 * Decides from a sample of the voxels whether the bytes of mode 0 are signed, when the header gives only weak evidence.
 * Other layouts are returned unchanged. Rejects with the error of `source`.
 */
export async function settleLayout(source: VoxelSource, layout: VoxelLayout): Promise<VoxelLayout> {
  if (!layout.signedness || !WEAK.includes(layout.signedness.evidence.code)) return layout;
  const { dataOffset, dataBytes } = layout;
  const counts = new Float64Array(256);
  const pieces = Math.min(PIECES, Math.ceil(dataBytes / PIECE_BYTES));
  for (let piece = 0; piece < pieces; piece++) {
    const start = Math.floor((dataBytes * piece) / pieces);
    const bytes = new Uint8Array(Math.min(PIECE_BYTES, dataBytes - start));
    await source.read(dataOffset + start, bytes);
    for (const byte of bytes) counts[byte] = (counts[byte] as number) + 1;
  }
  const value = readCounts(counts);
  if (!value) return layout;
  const message =
    value === 'signed'
      ? 'many are near 255 and near 0, few between'
      : 'many are on both sides of 127, few near 0 and 255';
  return { ...layout, isSigned: value === 'signed', signedness: { value, evidence: { code: 'voxels', message } } };
}

/** Number of values on each side of a seam. */
const SEAM = 4;
/** The least share of the bytes at a seam, above that of hot pixels, and how much it must exceed the other seam. */
const LEAST_SHARE = 0.005;
const OUTWEIGHS = 2;

/**
 * The values of an image are spread around their mean without a gap. Many bytes on both sides of the seam between 255
 * and 0 are therefore -1 and 0 of signed bytes; many on both sides of the seam between 127 and 128 belong to unsigned
 * bytes.
 *
 * @param counts how often each byte value occurs.
 * @returns null when neither seam is crossed.
 */
function readCounts(counts: Float64Array): Signedness | null {
  const sum = (from: number, to: number) => counts.subarray(from, to).reduce((total, count) => total + count, 0);
  const atZero = Math.min(sum(0, SEAM), sum(256 - SEAM, 256));
  const atMiddle = Math.min(sum(128 - SEAM, 128), sum(128, 128 + SEAM));
  const least = LEAST_SHARE * sum(0, 256);
  if (atZero > least && atZero > OUTWEIGHS * atMiddle) return 'signed';
  if (atMiddle > least && atMiddle > OUTWEIGHS * atZero) return 'unsigned';
  return null;
}
