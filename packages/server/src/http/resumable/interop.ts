/**
 * The interop versions of draft-ietf-httpbis-resumable-upload, and in what they differ on the wire. A client names its
 * version in `Upload-Draft-Interop-Version`; the drafts say "interop version" for a set of revisions that fit together.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { parseInteger } from './fields.ts';

export interface Interop {
  readonly version: number;
  /** The field of completeness. `Upload-Incomplete` has the inverse value. */
  readonly completeField: 'Upload-Complete' | 'Upload-Incomplete';
  /** An append without that field completes the upload; else such an append is refused. */
  readonly completesByDefault: boolean;
  /** 104 answers report the progress, too. */
  readonly reportsProgress: boolean;
  /** An append needs `Content-Type: application/partial-upload`. */
  readonly needsMediaType: boolean;
  /** How `Upload-Limit` names the remaining lifetime; null: the version has no `Upload-Limit`. */
  readonly ageLimit: 'max-age' | 'expires' | null;
  /** Any append to a completed upload is refused with the problem type `completed-upload`. */
  readonly refusesCompleted: boolean;
}

/** Drafts 09 and later. */
const NEWEST: Interop = {
  version: 8,
  completeField: 'Upload-Complete',
  completesByDefault: false,
  reportsProgress: true,
  needsMediaType: true,
  ageLimit: 'max-age',
  refusesCompleted: false,
};

/** Drafts 04 and 05: iOS 18.1, macOS 15.1. What an append without completeness means is taken from Apple's server. */
const SIX: Interop = { ...NEWEST, version: 6, completesByDefault: true, ageLimit: 'expires', refusesCompleted: true };
/** Draft 03: iOS 18.0, macOS 15.0. */
const FIVE: Interop = { ...SIX, version: 5, needsMediaType: false, ageLimit: null, refusesCompleted: false };
/** Draft 01: iOS 17, macOS 14. */
const THREE: Interop = { ...FIVE, version: 3, completeField: 'Upload-Incomplete', reportsProgress: false };

const VERSIONS: readonly Interop[] = [NEWEST, SIX, FIVE, THREE];

export interface Spoken {
  readonly interop: Interop;
  /** The client has named this version, so that it understands 104 answers. */
  readonly isNamed: boolean;
}

/**
 * @returns the version that the client names. Without a name, or with one that is not in the table, the newest; version
 * 3 when the request has the field that only this version has.
 */
export function readInterop(headers: IncomingHttpHeaders): Spoken {
  const named = parseInteger(headers['upload-draft-interop-version']);
  const known = VERSIONS.find(({ version }) => version === named);
  if (known) return { interop: known, isNamed: true };
  const isOld = headers['upload-complete'] === undefined && headers['upload-incomplete'] !== undefined;
  return { interop: isOld ? THREE : NEWEST, isNamed: false };
}
