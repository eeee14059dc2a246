import type { Finding, NoteCode, RejectionCode, WarningCode } from '../finding.ts';
import { parseHeader } from '../header/header.ts';
import { HEADER_BYTES } from '../header/layout.ts';
import { decideKind } from '../kind/kind.ts';
import { listNotes } from './notes.ts';
import { checkMrcSize, rejectHeader, rejectSize } from './rejections.ts';
import { type MrcSummary, summarise } from './summary.ts';
import { listWarnings } from './warnings.ts';

export interface MrcCandidate {
  /** The file's first bytes, 1024 or more. */
  readonly header: Uint8Array;
  /** Declared size of the whole file, bytes. */
  readonly sizeBytes: number;
  /** A name without path; its extension helps to distinguish stacks from volumes. */
  readonly filename?: string | undefined;
}

interface MrcFindings {
  /** Null when the header determines no size: not MRC, damaged, or MRCZ. */
  readonly mrc: MrcSummary | null;
  readonly rejections: readonly Finding<RejectionCode>[];
  readonly warnings: readonly Finding<WarningCode>[];
  readonly notes: readonly Finding<NoteCode>[];
}

/** `header_incomplete`: fewer than 1024 bytes of a larger file were given, so nothing was checked. */
export type MrcCheck =
  | ({ readonly verdict: 'accepted' } & MrcFindings)
  | ({ readonly verdict: 'rejected' } & MrcFindings)
  | { readonly verdict: 'header_incomplete'; readonly givenBytes: number; readonly neededBytes: number };

/**
 * Checks a file by its first bytes and its size alone. Rejections mean that the data are unusable, warnings that the
 * owner should check something; notes are harmless deviations from MRC2014. Much good data has warnings. Never throws.
 */
export function checkMrc({ header: bytes, sizeBytes, filename }: MrcCandidate): MrcCheck {
  const sizeRejection = checkMrcSize(sizeBytes);
  if (sizeRejection) return reject(sizeRejection);
  if (bytes.length < HEADER_BYTES) {
    return { verdict: 'header_incomplete', givenBytes: bytes.length, neededBytes: HEADER_BYTES };
  }
  const header = parseHeader(bytes, sizeBytes);
  const headerRejection = rejectHeader(bytes, header, filename);
  if (headerRejection) return reject(headerRejection);
  const rejection = rejectSize(header, sizeBytes);
  return {
    verdict: rejection ? 'rejected' : 'accepted',
    mrc: summarise(header, sizeBytes, filename),
    rejections: rejection ? [rejection] : [],
    warnings: listWarnings(header, sizeBytes, decideKind(header, filename).kind),
    notes: listNotes(header),
  };
}

function reject(rejection: Finding<RejectionCode>): MrcCheck {
  return { verdict: 'rejected', mrc: null, rejections: [rejection], warnings: [], notes: [] };
}
