/** States of an upload (`status` in `docs/architecture/7-api-specifications.md`) and the allowed transitions. */

export const UPLOAD_STATES = [
  'pending',
  'uploading',
  'verifying',
  'completed',
  'failed',
  'cancelled',
  'expired',
] as const;
export type UploadState = (typeof UPLOAD_STATES)[number];

export const UPLOAD_EVENTS = ['part_stored', 'complete', 'published', 'fail', 'cancel', 'expire'] as const;
export type UploadEvent = (typeof UPLOAD_EVENTS)[number];

/** A complete table: a missing state or event does not compile. `null` means not allowed. */
const TRANSITIONS: Record<UploadState, Record<UploadEvent, UploadState | null>> = {
  pending: {
    part_stored: 'uploading',
    complete: 'verifying',
    published: null,
    fail: 'failed',
    cancel: 'cancelled',
    expire: 'expired',
  },
  uploading: {
    part_stored: 'uploading',
    complete: 'verifying',
    published: null,
    fail: 'failed',
    cancel: 'cancelled',
    expire: 'expired',
  },
  verifying: {
    part_stored: null,
    complete: null,
    published: 'completed',
    fail: 'failed',
    cancel: null,
    expire: null,
  },
  completed: { part_stored: null, complete: null, published: null, fail: null, cancel: null, expire: null },
  failed: { part_stored: null, complete: null, published: null, fail: null, cancel: 'cancelled', expire: 'expired' },
  cancelled: { part_stored: null, complete: null, published: null, fail: null, cancel: null, expire: null },
  expired: { part_stored: null, complete: null, published: null, fail: null, cancel: null, expire: null },
};

/** The state after `event`; null when `event` is not allowed in `state`. */
export function transition(state: UploadState, event: UploadEvent): UploadState | null {
  return TRANSITIONS[state][event];
}

/** The states in which `event` is allowed, for the WHERE of a guarded update. */
export function statesAllowing(event: UploadEvent): UploadState[] {
  return UPLOAD_STATES.filter((state) => TRANSITIONS[state][event] !== null);
}

/** States in which an upload accepts parts; init with a known fingerprint finds uploads in these. */
export const OPEN_STATES = statesAllowing('part_stored');

/** States of uploads that have ended without a file: bytes that are sent to them are useless. */
export const ENDED_STATES: UploadState[] = ['failed', 'cancelled', 'expired'];
