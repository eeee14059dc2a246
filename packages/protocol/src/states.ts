/** States of an upload session (CONTRACT: session `status`) and the only ways from one to another. */

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

/** Total on purpose: a state or an event without its cell does not compile. `null`: not allowed. */
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

/** The state after `event`, or null when it is not allowed in `state`. */
export function transition(state: UploadState, event: UploadEvent): UploadState | null {
  return TRANSITIONS[state][event];
}

/** The states in which `event` is allowed: what a guarded update puts in its WHERE. */
export function statesAllowing(event: UploadEvent): UploadState[] {
  return UPLOAD_STATES.filter((state) => TRANSITIONS[state][event] !== null);
}

/** Sessions that still take parts; a second init with the same fingerprint finds these. */
export const OPEN_STATES = statesAllowing('part_stored');
