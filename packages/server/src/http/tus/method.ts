/** `X-HTTP-Method-Override` of tus 1.0. */
import type { IncomingMessage } from 'node:http';

/** The method that a client who can only send POST means. */
export function methodOf({ method, headers }: IncomingMessage): string {
  const override = headers['x-http-method-override'];
  return method === 'POST' && typeof override === 'string' ? override.toUpperCase() : String(method);
}
