/** Answers the methods that a path does not have with 405 and an Allow header (RFC 9110 section 15.5.6). */
import { UploadError } from '@cryolift/protocol/errors';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';

/** Throws the answer to a request that no route takes. @throws UploadError `method_not_allowed` or `not_found`. */
export type RefuseUnrouted = (request: FastifyRequest, reply: FastifyReply) => never;

/**
 * Notes the methods of every path. To be called before the routes are registered. Routes of their own for the other
 * methods, 34 for each path, would be a fifth of the time that a start takes.
 */
export function watchMethods(app: FastifyInstance): RefuseUnrouted {
  const paths = new Map<string, { pattern: RegExp; methods: Set<string> }>();
  app.addHook('onRoute', ({ url, method }: RouteOptions) => {
    // A library serves the paths below /docs. `*` is the route that answers preflights (CORS) of all paths.
    if (url.startsWith('/docs/') || url === '*') return;
    const known = paths.get(url) ?? { pattern: patternOf(url), methods: new Set<string>() };
    for (const each of [method].flat()) known.methods.add(each);
    paths.set(url, known);
  });
  return (request, reply) => {
    const path = request.url.split('?', 1)[0] as string;
    for (const { pattern, methods } of paths.values()) {
      if (!pattern.test(path)) continue;
      reply.header('allow', [...methods].join(', '));
      throw new UploadError('method_not_allowed', `${request.method} is not allowed for this path.`);
    }
    throw new UploadError('not_found', 'This path does not exist.');
  };
}

/** @param url of a route: `:name` is one piece of the path. */
function patternOf(url: string): RegExp {
  const pieces = url.split('/').map((piece) => (piece.startsWith(':') ? '[^/]+' : RegExp.escape(piece)));
  return new RegExp(`^${pieces.join('/')}$`);
}
