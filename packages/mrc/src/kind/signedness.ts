import type { Finding } from '../finding.ts';
import type { MrcHeader } from '../header/header.ts';
import { IMOD_STAMP } from '../header/layout.ts';
import { declaresMrc2014, statisticsOf } from '../header/meaning.ts';
import type { VoxelLayout, VoxelSource } from '../voxels/voxels.ts';

export const SIGNEDNESSES = ['signed', 'unsigned'] as const;
export type Signedness = (typeof SIGNEDNESSES)[number];

/** What decided how the bytes of mode 0 are read; in the order in which the evidence is asked. */
type SignednessEvidence = 'given' | 'imod_stamp' | 'statistics' | 'voxels' | 'version' | 'default';

export interface SignednessDecision {
  readonly value: Signedness;
  /** The message names the evidence, for a person. */
  readonly evidence: Finding<SignednessEvidence>;
}

/** The voxels are asked where the header says nothing. */
const WEAK: readonly SignednessEvidence[] = ['version', 'default'];

/**
 * Whether the bytes of a mode 0 file are signed, as far as the header tells: by the owner of the file, then by IMOD's rule,
 * which is the flag of a file that IMOD wrote, otherwise what DMIN and DMAX suggest. MRC2014 has them signed; before, most
 * programs wrote them unsigned. Null for other modes.
 */
export function decideSignedness(header: MrcHeader, given?: Signedness): SignednessDecision | null {
  const { mode, imodStamp, imodFlags, dmin, dmax, nversion } = header;
  if (mode !== 0) return null;
  if (given) return decide(given, 'given', 'it was given with the file');
  if (imodStamp === IMOD_STAMP) {
    return decide((imodFlags & 1) === 1 ? 'signed' : 'unsigned', 'imod_stamp', 'the flags of IMOD say so');
  }
  if (statisticsOf(header).min !== null) {
    const isSigned = dmin < 0 && (dmax < 128 || -dmin > dmax - 128);
    return decide(isSigned ? 'signed' : 'unsigned', 'statistics', `DMIN is ${dmin} and DMAX ${dmax}`);
  }
  return declaresMrc2014(header)
    ? decide('signed', 'version', `NVERSION is ${nversion}, and MRC2014 has mode 0 signed`)
    : decide('unsigned', 'default', 'nothing says that they are signed');
}

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
  return { ...layout, isSigned: value === 'signed', signedness: decide(value, 'voxels', message) };
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

function decide(value: Signedness, code: SignednessEvidence, message: string): SignednessDecision {
  return { value, evidence: { code, message } };
}
