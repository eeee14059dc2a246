/** Every path answers every method: those that it does not have with 405 and an Allow header (RFC 9110 section 15.5.6). */
import { METHODS } from 'node:http';
import { UploadError } from '@cryolift/protocol/errors';
import type { FastifyInstance, RouteOptions } from 'fastify';

/** CONNECT never reaches a handler in Node. */
const REFUSABLE = METHODS.filter((method) => method !== 'CONNECT');

/** @returns a function that, once all calls are registered, registers the refusals. */
export function watchMethods(app: FastifyInstance): () => void {
  const paths = new Map<string, Set<string>>();
  let watching = true;
  app.addHook('onRoute', ({ url, method }: RouteOptions) => {
    // What lies below /docs belongs to the library that serves it; `*` is how preflights (CORS) are answered anywhere.
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
        // Before a waiting client is told to send its body.
        onRequest: async (request, reply) => {
          reply.header('allow', [...methods].join(', '));
          throw new UploadError('method_not_allowed', `${request.method} is not a method of this path.`);
        },
        handler: () => {},
      });
    }
  };
}
