/** Lets the proxy in front of the server send the bytes of a file, which it reads from the same disk. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Sendfile } from '../../config/values.ts';

/** The proxy compares these with its own entity tag and time, which are others. */
const OWN_CONDITIONS = ['if-match', 'if-unmodified-since'] as const;

/** A client without the proxy, and some conditions, get the bytes from the server itself. */
export function mayProxySend({ method, headers, ips }: FastifyRequest): boolean {
  const isProxied = ips !== undefined && ips.length > 1;
  return method === 'GET' && isProxied && OWN_CONDITIONS.every((name) => headers[name] === undefined);
}

/**
 * Names the file to the proxy, which applies the Range of the request to it.
 *
 * @param location of the file: a `file:` URL whose last two segments are the folder and the name.
 */
export function nameFile(reply: FastifyReply, by: Sendfile, location: string): void {
  const { pathname } = new URL(location);
  // Both proxies decode percent-encoding.
  const path = by.header === 'x-sendfile' ? pathname : by.prefix + pathname.split('/').slice(-2).join('/');
  reply.header(by.header, path);
}
