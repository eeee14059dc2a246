/** A span for every request, when there is a collector. */
import type { FastifyInstance } from 'fastify';
import type { Traces } from '../../ops/traces.ts';

export function registerTraces(app: FastifyInstance, traces: Traces | null): void {
  if (!traces) return;
  app.addHook('onRequest', async (request, reply) => {
    const { traceparent } = request.headers;
    const span = traces.begin(typeof traceparent === 'string' ? traceparent : undefined);
    // Also for an answer that the client did not wait for.
    reply.raw.once('close', () => {
      const route = request.routeOptions.url ?? '(none)';
      span.end({
        name: `${request.method} ${route}`,
        status: reply.statusCode,
        attributes: {
          'http.request.method': request.method,
          'http.route': route,
          'cryolift.request_id': request.id,
          ...(request.failureCode === null ? {} : { 'error.type': request.failureCode }),
        },
      });
    });
  });
}
