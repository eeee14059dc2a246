import type { Signedness, SignednessDecision } from '../kind/signedness.ts';
import type { VoxelLayout, VoxelSource } from './voxels.ts';

/** Evidence that the voxels outweigh. */
const WEAK: readonly SignednessDecision['evidence']['code'][] = ['version', 'default'];

/** Pieces that are read of the voxels, evenly spread, and the bytes of each. */
const PIECES = 64;
const PIECE_BYTES = 1024;

/**
 * The layout of a file whose header does not say how the bytes of mode 0 are read, as some of them suggest; any other
 * layout as it is. Rejects with whatever `source` rejects with.
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

/** Values on one side of a seam. */
const SEAM = 4;
/** A share of the bytes that is more than hot pixels, and by which one seam must outweigh the other. */
const LEAST_SHARE = 0.005;
const OUTWEIGHS = 2;

/**
 * The values of an image lie about their mean without a gap. So many bytes on both sides of the seam between 255 and 0
 * mean -1 and 0; many on both sides of the one between 127 and 128 are of unsigned bytes. Null when neither is so.
 *
 * @param counts of each byte.
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
