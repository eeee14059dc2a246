import type { Finding } from '../finding.ts';
import type { MrcHeader } from './header.ts';
import { IMOD_STAMP } from './layout.ts';

/** The rule that decided the row order. */
type RowOrderRule = 'mapr' | 'fei_20140' | 'imod_stamp' | 'fei_other_version' | 'standard';

export interface RowOrder {
  /** Where the first row of the file is in the picture. */
  readonly first: 'top' | 'bottom';
  /** The message names the rule, for a person. */
  readonly evidence: Finding<RowOrderRule>;
}

type Fields = Pick<MrcHeader, 'exttyp' | 'nversion' | 'imodStamp' | 'axes'>;

/**
 * Decides where the first row of a file is drawn, as IMOD does (`mrc_head_read` in its mrcfiles.c): MRC2014's first row
 * is the bottom. It is the top in files of Thermo Fisher's programs with NVERSION 20140, and when MAPR is -2, unless
 * IMOD has written the file since.
 */
export function decideRowOrder({ exttyp, nversion, imodStamp, axes }: Fields): RowOrder {
  const isFei = exttyp.startsWith('FEI');
  const isInverted = axes[1] === -2;
  if (imodStamp === IMOD_STAMP && (isInverted || (isFei && nversion === 20140))) {
    return decide('bottom', 'imod_stamp', 'IMOD has written the file since, and has the first row at the bottom');
  }
  if (isInverted) return decide('top', 'mapr', 'MAPR is -2, and the file has no imodStamp');
  if (isFei && nversion === 20140) {
    return decide('top', 'fei_20140', `EXTTYP is ${exttyp}, NVERSION is 20140, and the file has no imodStamp`);
  }
  if (isFei) {
    const message = `EXTTYP is ${exttyp}, but NVERSION is ${nversion}: only with 20140 is the first row on top`;
    return decide('bottom', 'fei_other_version', message);
  }
  return decide('bottom', 'standard', 'MRC2014 has the first row at the bottom');
}

function decide(first: RowOrder['first'], code: RowOrderRule, message: string): RowOrder {
  return { first, evidence: { code, message } };
}
