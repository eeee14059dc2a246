/** Where an upload that a protocol appends to is. */
import type { FastifyRequest } from 'fastify';
import { publicBase } from './public-url.ts';

/**
 * Absolute when the URL of the server is known, else a path, which is right behind every proxy that does not change paths. A
 * caller whose token is in the query gets it back: such a client sends nothing but this URL with its next requests.
 *
 * @param path of the uploads of this protocol. @param publicUrl the setting, or null.
 */
export function locationOf(request: FastifyRequest, path: string, uploadId: string, publicUrl: string | null): string {
  const base = publicUrl === null ? '' : publicBase(request, publicUrl);
  const { token } = request.query as { token?: string };
  const query = request.headers.authorization === undefined && token ? `?token=${encodeURIComponent(token)}` : '';
  return `${base}${path}/${uploadId}${query}`;
}
