/** `Expect: 100-continue` (RFC 9110 section 10.1.1): the client waits with its body until it is told that it is wanted. */
import type { IncomingMessage, ServerResponse } from 'node:http';

const continued = new WeakSet<IncomingMessage>();

function expectsContinue(request: IncomingMessage): boolean {
  return request.headers.expect?.toLowerCase() === '100-continue';
}

/** Tells a waiting client to send its body. Does nothing for the others, or twice. */
export function continueBody(request: IncomingMessage, response: ServerResponse): void {
  if (!expectsContinue(request) || continued.has(request)) return;
  continued.add(request);
  response.writeContinue();
}

/**
 * True when the client was never told to send its body. Nobody can tell whether it will, so where the next request on
 * this connection begins is unknown, and the connection has to end with the answer.
 */
export function isUncontinued(request: IncomingMessage): boolean {
  return expectsContinue(request) && !continued.has(request) && announcesBody(request);
}

function announcesBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
