import type { Finding } from '../finding.ts';
import type { MrcHeader } from '../header/header.ts';
import { IMOD_STAMP } from '../header/layout.ts';
import { declaresMrc2014, statisticsOf } from '../header/meaning.ts';

export const SIGNEDNESSES = ['signed', 'unsigned'] as const;
export type Signedness = (typeof SIGNEDNESSES)[number];

/** What decided whether the bytes of mode 0 are signed, in order of priority. */
type SignednessEvidence = 'given' | 'imod_stamp' | 'statistics' | 'voxels' | 'version' | 'default';

export interface SignednessDecision {
  readonly value: Signedness;
  /** The message names the evidence, for a person. */
  readonly evidence: Finding<SignednessEvidence>;
}

/**
 * Decides from the header whether the bytes of mode 0 are signed. The owner of the file has priority, then IMOD's rule:
 * the flag of a file that IMOD wrote, otherwise DMIN and DMAX. MRC2014 defines signed bytes; older programs mostly
 * wrote unsigned ones. Null for other modes.
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

function decide(value: Signedness, code: SignednessEvidence, message: string): SignednessDecision {
  return { value, evidence: { code, message } };
}
