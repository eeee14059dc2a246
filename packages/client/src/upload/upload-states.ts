/** States of an upload as the client sees it, and the only ways from one to another. */

export type ClientState = 'planning' | 'checking' | 'sending' | 'reconciling' | 'paused' | 'failed' | 'done';
/**
 * `check`: what the server has is compared with the file before anything else. `other`: it was found to be of another file,
 * or is not to be gone on with.
 */
export type ClientEvent = 'check' | 'planned' | 'other' | 'doubt' | 'settled' | 'published' | 'pause' | 'fail';

const ENDED: Record<ClientEvent, null> = {
  check: null,
  planned: null,
  other: null,
  doubt: null,
  settled: null,
  published: null,
  pause: null,
  fail: null,
};

/** Total on purpose: a missing cell does not compile. `null`: cannot happen. */
const TRANSITIONS: Record<ClientState, Record<ClientEvent, ClientState | null>> = {
  planning: {
    check: 'checking',
    planned: 'sending',
    other: null,
    doubt: null,
    settled: null,
    published: null,
    pause: 'paused',
    fail: 'failed',
  },
  checking: {
    check: null,
    planned: 'sending',
    other: 'planning',
    doubt: null,
    settled: null,
    published: null,
    pause: 'paused',
    fail: 'failed',
  },
  sending: {
    check: 'checking',
    planned: null,
    other: 'planning',
    doubt: 'reconciling',
    settled: null,
    published: 'done',
    pause: 'paused',
    fail: 'failed',
  },
  reconciling: {
    check: null,
    planned: null,
    other: 'planning',
    doubt: 'reconciling',
    settled: 'sending',
    published: null,
    pause: 'paused',
    fail: 'failed',
  },
  paused: ENDED,
  failed: ENDED,
  done: ENDED,
};

/** @throws Error for an event that cannot happen in `state`. */
export function transition(state: ClientState, event: ClientEvent): ClientState {
  const next = TRANSITIONS[state][event];
  if (next === null) throw new Error(`'${event}' cannot happen while ${state}`);
  return next;
}
