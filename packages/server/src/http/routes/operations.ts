/** Calls for operators and planning clients. All but `/whoami` need no token. */
import { UploadError } from '@cryolift/protocol/errors';
import { Caller, Health, Limits, Readiness } from '@cryolift/protocol/messages';
import { CHALLENGE, CHALLENGE_HEADER, computeProof, PROOF_HEADER } from '@cryolift/protocol/proof';
import { SCOPES } from '@cryolift/protocol/scopes';
import { Type } from 'typebox';
import { toTime } from '../../uploads/upload-record.ts';
import { readUsage } from '../../uploads/usage.ts';
import { expiryOf, linkOf, ownerOf } from '../auth/caller.ts';
import type { Routes } from '../route-schema.ts';
import type { Services } from '../services.ts';

const METRICS = { content: { 'text/plain': { schema: Type.String({ description: 'Prometheus’ text format.' }) } } };

/** The latest time of a Date, milliseconds (ECMA-262, section 21.4.1.1). */
const LATEST_MS = 8.64e15;

export function registerOperations(app: Routes, services: Services): void {
  registerCallerInfo(app, services);
  registerHealth(app, services);
  registerMetrics(app, services);
}

function registerCallerInfo(app: Routes, { uploads, limits }: Services): void {
  app.get(
    '/limits',
    {
      config: { identifies: true, linkable: true },
      schema: {
        operationId: 'getLimits',
        tags: ['operations'],
        summary: "Limits and accepted types; with a token or an upload link, the caller's quota as well.",
        response: { 200: Limits },
      },
    },
    async ({ caller }) => {
      if (!caller) return limits;
      const usage = await readUsage(uploads, ownerOf(caller), linkOf(caller));
      // Calls with an upload link sign nothing.
      const { direct, ...ofLinks } = limits;
      return linkOf(caller) || !direct ? { ...ofLinks, ...usage } : { ...limits, ...usage };
    },
  );

  app.get(
    '/whoami',
    {
      config: { scope: 'uploads:write', linkable: true },
      schema: {
        operationId: 'getCaller',
        tags: ['operations'],
        summary: 'The owner of the uploads of the caller, and what the token or the link of the caller is.',
        response: { 200: Caller },
      },
    },
    async ({ caller }) => {
      const link = linkOf(caller);
      const expiresAtMs = expiryOf(caller);
      return {
        owner: ownerOf(caller),
        link_id: link?.id ?? null,
        note: link?.note ?? null,
        expires_at: isTime(expiresAtMs) ? toTime(expiresAtMs) : null,
        scopes: caller.kind === 'token' ? SCOPES.filter((scope) => caller.scopes.has(scope)) : [],
      };
    },
  );
}

function registerHealth(app: Routes, services: Services): void {
  app.get(
    '/healthz',
    {
      schema: {
        operationId: 'getHealth',
        tags: ['operations'],
        summary: 'The process answers.',
        response: { 200: Health },
        documented: { headers: ['Cryolift-Challenge'], responseHeaders: { 200: ['Cryolift-Proof'] } },
      },
    },
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
    {
      schema: {
        operationId: 'getReadiness',
        tags: ['operations'],
        summary: 'Database and storage answer, the database takes writes, and the server is not stopping.',
        response: { 200: Readiness },
        documented: { errors: ['storage_unavailable', 'database_unavailable'] },
      },
    },
    async () => {
      await services.checkReady();
      return { status: 'ready' as const, version: services.version };
    },
  );
}

function registerMetrics(app: Routes, { metrics, options }: Services): void {
  app.get(
    '/metrics',
    {
      schema: {
        operationId: 'getMetrics',
        tags: ['operations'],
        summary: "Metrics in Prometheus' text format.",
        response: { 200: METRICS },
        documented: { errors: ['not_found'] },
      },
    },
    async (_request, reply) => {
      if (!options.serveMetrics) throw new UploadError('not_found', 'Metrics are disabled on this server.');
      reply.type(metrics.contentType);
      return await metrics.render();
    },
  );
}

/** A token may expire after every time that can be written, or never. */
function isTime(ms: number): boolean {
  return Math.abs(ms) <= LATEST_MS;
}
