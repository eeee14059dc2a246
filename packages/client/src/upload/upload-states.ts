/** The states of an upload in the client, and the transitions between them. */

export type ClientState = 'planning' | 'checking' | 'sending' | 'reconciling' | 'paused' | 'failed' | 'done';
/**
 * `check`: the parts that the server has are compared with the file first. `other`: the upload belongs to another file,
 * or is not to be continued.
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

/** Complete: a missing cell does not compile. `null`: cannot happen. */
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
