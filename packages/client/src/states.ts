/** States of an upload as the client sees it, and the only ways from one to another. */

export type ClientState = 'planning' | 'sending' | 'reconciling' | 'paused' | 'failed' | 'done';
export type ClientEvent = 'planned' | 'doubt' | 'settled' | 'published' | 'pause' | 'fail';

/** Total on purpose: a missing cell does not compile. `null`: cannot happen. */
const TRANSITIONS: Record<ClientState, Record<ClientEvent, ClientState | null>> = {
  planning: { planned: 'sending', doubt: null, settled: null, published: null, pause: 'paused', fail: 'failed' },
  sending: { planned: null, doubt: 'reconciling', settled: null, published: 'done', pause: 'paused', fail: 'failed' },
  reconciling: {
    planned: null,
    doubt: 'reconciling',
    settled: 'sending',
    published: null,
    pause: 'paused',
    fail: 'failed',
  },
  paused: { planned: null, doubt: null, settled: null, published: null, pause: null, fail: null },
  failed: { planned: null, doubt: null, settled: null, published: null, pause: null, fail: null },
  done: { planned: null, doubt: null, settled: null, published: null, pause: null, fail: null },
};

/** @throws Error for an event that cannot happen in `state`. */
export function transition(state: ClientState, event: ClientEvent): ClientState {
  const next = TRANSITIONS[state][event];
  if (next === null) throw new Error(`'${event}' cannot happen while ${state}`);
  return next;
}
