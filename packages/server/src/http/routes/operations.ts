/** Calls for operators and planning clients. All but `/whoami` need no token. */
import { UploadError } from '@cryolift/protocol/errors';
import { Caller, Health, Limits, Readiness } from '@cryolift/protocol/messages';
import { CHALLENGE, CHALLENGE_HEADER, computeProof, PROOF_HEADER } from '@cryolift/protocol/proof';
import { readUsage } from '../../uploads/usage.ts';
import { linkOf, ownerOf } from '../auth/caller.ts';
import { answers, type Routes } from '../route-schema.ts';
import type { Services } from '../services.ts';

export function registerOperations(app: Routes, services: Services): void {
  const { metrics, limits, version, options } = services;

  app.get(
    '/limits',
    {
      config: { identifies: true, linkable: true },
      schema: {
        summary: "Limits and accepted types; with a token or an upload link, the caller's quota as well.",
        response: answers({ 200: Limits }),
      },
    },
    async ({ caller }) =>
      caller ? { ...limits, ...(await readUsage(services.uploads, ownerOf(caller), linkOf(caller))) } : limits,
  );

  app.get(
    '/whoami',
    {
      config: { scope: 'uploads:write', linkable: true },
      schema: { summary: 'Whose uploads the caller makes.', response: answers({ 200: Caller }) },
    },
    async ({ caller }) => ({ owner: ownerOf(caller), link_id: linkOf(caller)?.id ?? null }),
  );

  app.get(
    '/healthz',
    { schema: { summary: 'The process answers.', response: answers({ 200: Health }) } },
    async ({ headers, socket }, reply) => {
      const challenge = headers[CHALLENGE_HEADER];
      const { tokenSecret } = services;
      if (typeof challenge === 'string' && CHALLENGE.test(challenge) && tokenSecret !== null && socket.localPort) {
        reply.header(PROOF_HEADER, await computeProof(tokenSecret, challenge, socket.localPort));
      }
      return { status: 'ok' as const };
    },
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
