import type { Finding } from '../finding.ts';
import { giveKind, type KindEvidence, MRC_KINDS, type MrcKind } from './kind.ts';
import { SIGNEDNESSES, type Signedness } from './signedness.ts';

/** What the owner of a file states about it; it overrides the header. */
export interface MrcOverrides {
  readonly kind?: MrcKind;
  /** How the bytes of mode 0 are read. */
  readonly mode0?: Signedness;
}

/** The overrides in the metadata of a file: the pairs `kind` and `mode0`. Unknown values are left out. */
export function readOverrides({ kind, mode0 }: { readonly kind?: string; readonly mode0?: string }): MrcOverrides {
  const [knownKind, knownMode0] = [find(MRC_KINDS, kind), find(SIGNEDNESSES, mode0)];
  return { ...(knownKind && { kind: knownKind }), ...(knownMode0 && { mode0: knownMode0 }) };
}

interface Kinded {
  readonly kind: MrcKind;
  /** Absent in records of earlier versions. */
  readonly kind_evidence?: Finding<string>;
}

/** The summary of a header with the kind that the metadata give; unchanged when they give none. */
export function applyKind<Summary extends Kinded>(summary: Summary, metadata: { readonly kind?: string }): Summary {
  const given = readOverrides(metadata).kind;
  if (given) {
    const { kind, evidence } = giveKind(given);
    return { ...summary, kind, kind_evidence: evidence };
  }
  if (metadata.kind === undefined || !summary.kind_evidence) return summary;
  const { code, message } = summary.kind_evidence;
  const unknown = `the kind in the metadata is none of ${MRC_KINDS.join(', ')}`;
  return { ...summary, kind_evidence: { code: code as KindEvidence, message: `${message}; ${unknown}` } };
}

function find<Value extends string>(values: readonly Value[], text: string | undefined): Value | undefined {
  return values.find((value) => value === text);
}
