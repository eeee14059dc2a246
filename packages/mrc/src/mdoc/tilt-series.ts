import type { Finding } from '../finding.ts';
import type { KindEvidence, MrcKind } from '../kind/kind.ts';
import { describeRange, type Tilts } from '../tilts/tilts.ts';
import type { MdocSummary } from './summary.ts';

interface Described {
  readonly nz: number;
  readonly kind: MrcKind;
  /** Absent in records of earlier versions. */
  readonly kind_evidence?: Finding<string>;
  readonly tilts?: Tilts | null;
}

/**
 * The summary of a stack with what its `.mdoc` file says: a stack whose `.mdoc` file has the angles of a tilt series, one
 * for each section, is a tilt series. Angles of the extended header, and a kind that the owner gives, have priority.
 */
export function applyMdoc<Summary extends Described>(summary: Summary, { tilts }: Pick<MdocSummary, 'tilts'>): Summary {
  const { kind, nz, kind_evidence } = summary;
  if (!tilts || (kind !== 'stack' && kind !== 'tilt_series') || tilts.angles.length !== nz) return summary;
  const shown = { ...summary, tilts: summary.tilts ?? tilts };
  if (kind === 'tilt_series' || kind_evidence?.code === 'given') return shown;
  const message = `the .mdoc file has tilt angles from ${describeRange(tilts)}`;
  return { ...shown, kind: 'tilt_series', kind_evidence: { code: 'mdoc' satisfies KindEvidence, message } };
}
