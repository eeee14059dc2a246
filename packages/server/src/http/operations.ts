/** Calls for operators and planning clients. All but `/whoami` take no token. */
import { UploadError } from '@cryolift/protocol/errors';
import { Caller, Health, Limits, Readiness } from '@cryolift/protocol/messages';
import { answers, type Routes } from './contract.ts';
import type { Services } from './services.ts';

export function registerOperations(app: Routes, services: Services): void {
  const { metrics, limits, version, options } = services;

  app.get(
    '/limits',
    { schema: { summary: 'Limits and accepted types.', response: answers({ 200: Limits }) } },
    async () => limits,
  );

  app.get(
    '/whoami',
    {
      config: { scope: 'uploads:write', linkable: true },
      schema: { summary: 'Whose uploads the caller makes.', response: answers({ 200: Caller }) },
    },
    async ({ caller }) => ({ owner: caller.sub, link_id: caller.link?.id ?? null }),
  );

  app.get(
    '/healthz',
    { schema: { summary: 'The process answers.', response: answers({ 200: Health }) } },
    async () => ({ status: 'ok' as const }),
  );

  app.get(
    '/readyz',
    { schema: { summary: 'Database and storage answer.', response: answers({ 200: Readiness }) } },
    async () => {
      await services.checkReady();
      return { status: 'ready' as const, version };
    },
  );

  app.get('/metrics', { schema: { summary: "Metrics in Prometheus' text format." } }, async (_request, reply) => {
    if (!options.serveMetrics) throw new UploadError('not_found', 'Metrics are closed on this server.');
    reply.type(metrics.contentType);
    return await metrics.render();
  });
}
