/** Answers the methods that a path does not have with 405 and an Allow header (RFC 9110 section 15.5.6). */
import { METHODS } from 'node:http';
import { UploadError } from '@cryolift/protocol/errors';
import type { FastifyInstance, RouteOptions } from 'fastify';

/** CONNECT never reaches a handler in Node. */
const REFUSABLE = METHODS.filter((method) => method !== 'CONNECT');

/** @returns a function that registers the refusals. Call it when all routes are registered. */
export function watchMethods(app: FastifyInstance): () => void {
  const paths = new Map<string, Set<string>>();
  let watching = true;
  app.addHook('onRoute', ({ url, method }: RouteOptions) => {
    // A library serves the paths below /docs. `*` is the route that answers preflights (CORS) of all paths.
    if (!watching || url.startsWith('/docs/') || url === '*') return;
    const methods = paths.get(url) ?? new Set<string>();
    for (const each of [method].flat()) methods.add(each);
    paths.set(url, methods);
  });
  return () => {
    watching = false;
    for (const method of REFUSABLE) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method);
    for (const [url, methods] of paths) {
      app.route({
        url,
        method: REFUSABLE.filter((method) => !methods.has(method)),
        schema: { hide: true },
        // Refuses before a waiting client is asked for its body.
        onRequest: async (request, reply) => {
          reply.header('allow', [...methods].join(', '));
          throw new UploadError('method_not_allowed', `${request.method} is not allowed for this path.`);
        },
        handler: () => {},
      });
    }
  };
}
