import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';

const OPTIONS = {
  // Bodies have an idle time-out of their own; a total one, as Node has by default, would end slow parts.
  requestTimeout: 0,
  headersTimeout: 30_000,
  // Longer than the idle time-out of common proxies (60 s), so that they, not we, close idle connections.
  keepAliveTimeout: 72_000,
  // Node's own answer would have no envelope; the application asks for Host itself.
  requireHostHeader: false,
};

/** The server socket of the ordinary lane: `node:http`, or `node:https` when there is a certificate (PEM). */
export function createListener(handler: RequestListener, tls: { cert: string; key: string } | null): Server {
  return tls ? createTlsServer({ ...OPTIONS, ...tls }, handler) : createServer(OPTIONS, handler);
}
