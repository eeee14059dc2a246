/** States of a connection on the fast path, and the allowed transitions. */

export const CONNECTION_STATES = ['idle', 'head', 'request', 'answered', 'handed_over', 'closing', 'closed'] as const;
/**
 * - `idle`: no request is under way, and no byte of the next one has arrived.
 * - `head`: the beginning of a head has arrived.
 * - `request`: the standard path has a request, and has not answered it.
 * - `answered`: the request is answered; the rest of it is still arriving.
 * - `handed_over`: the standard path has the whole connection, until it closes.
 * - `closing`: the last bytes are being sent; what arrives is dropped.
 * - `closed`: the socket is closed.
 */
export type ConnectionState = (typeof CONNECTION_STATES)[number];

export const CONNECTION_EVENTS = ['bytes', 'begin', 'hand_over', 'answer', 'settle', 'finish', 'close'] as const;
/**
 * - `bytes`: bytes of a head arrived.
 * - `begin`: the head is complete and plain.
 * - `hand_over`: what arrived is not plain, or came before the answer to the request before it.
 * - `answer`: the answer is sent.
 * - `settle`: the answer is sent, and the request has arrived completely.
 * - `finish`: this side ends the connection.
 * - `close`: the socket is closed.
 */
export type ConnectionEvent = (typeof CONNECTION_EVENTS)[number];

const NONE = { bytes: null, begin: null, hand_over: null, answer: null, settle: null, finish: null, close: null };

/** A complete table: a missing state does not compile. `null` means not allowed. */
const TRANSITIONS: Record<ConnectionState, Record<ConnectionEvent, ConnectionState | null>> = {
  idle: { ...NONE, bytes: 'head', finish: 'closing', close: 'closed' },
  head: { ...NONE, bytes: 'head', begin: 'request', hand_over: 'handed_over', finish: 'closing', close: 'closed' },
  request: { ...NONE, answer: 'answered', close: 'closed' },
  answered: { ...NONE, settle: 'idle', hand_over: 'handed_over', close: 'closed' },
  handed_over: { ...NONE, close: 'closed' },
  closing: { ...NONE, close: 'closed' },
  closed: NONE,
};

/** The state after `event`; null when `event` is not allowed in `state`. */
export function transition(state: ConnectionState, event: ConnectionEvent): ConnectionState | null {
  return TRANSITIONS[state][event];
}
