/**
 * `Expect: 100-continue` (RFC 9110 section 10.1.1): the client sends its body only after the server has asked for it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

const continued = new WeakSet<IncomingMessage>();

function expectsContinue(request: IncomingMessage): boolean {
  return request.headers.expect?.toLowerCase() === '100-continue';
}

/** Asks a waiting client for its body. Does nothing for other clients, or when it is called again. */
export function continueBody(request: IncomingMessage, response: ServerResponse): void {
  if (!expectsContinue(request) || continued.has(request)) return;
  continued.add(request);
  response.writeContinue();
}

/**
 * True when the client was not asked for its body. It may or may not send the body, so it is unknown where the next
 * request on this connection begins, and the connection has to end with the answer.
 */
export function isUncontinued(request: IncomingMessage): boolean {
  return expectsContinue(request) && !continued.has(request) && announcesBody(request);
}

function announcesBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
