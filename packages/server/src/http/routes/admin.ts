/** Calls for administrators, on everybody's things. */
import {
  OwnedSessionPage,
  ScrubReport,
  ScrubRequest,
  SessionQuery,
  SweepReport,
  Swept,
} from '@cryolift/protocol/messages';
import { listAllUploads } from '../../uploads/listing.ts';
import type { Routes } from '../route-schema.ts';
import type { Services } from '../services.ts';

/** When to ask again how far a sweep is. */
const RETRY_SECONDS = 2;
const USUAL_BYTES_PER_SECOND = 50 * 1024 * 1024;

export function registerAdmin(app: Routes, { uploads: context, scrub, sweep }: Services): void {
  const config = { scope: 'admin' } as const;

  app.get(
    '/admin/sessions',
    {
      config,
      schema: {
        operationId: 'listAllUploads',
        tags: ['admin'],
        summary: "Everybody's sessions, newest first.",
        querystring: SessionQuery,
        response: { 200: OwnedSessionPage },
      },
    },
    async ({ query: { limit = 100, ...query } }) => await listAllUploads(context, { ...query, limit }),
  );

  app.post(
    '/admin/sweep',
    {
      config,
      schema: {
        operationId: 'startSweep',
        tags: ['admin'],
        summary: 'One round of housekeeping, now: expire, free, forget.',
        response: { 200: Swept, 202: SweepReport },
        documented: { responseHeaders: { 202: ['Retry-After'] } },
      },
    },
    async (_request, reply) => {
      const outcome = await sweep.run();
      if (outcome.kind === 'done') return outcome.swept;
      return reply.code(202).header('retry-after', RETRY_SECONDS).send(outcome.report);
    },
  );

  app.get(
    '/admin/sweep',
    {
      config,
      schema: {
        operationId: 'getSweep',
        tags: ['admin'],
        summary: 'How far the round of housekeeping is that was asked for last, and what it has done.',
        response: { 200: SweepReport },
      },
    },
    async () => sweep.report(),
  );

  app.post(
    '/admin/scrub',
    {
      config,
      schema: {
        operationId: 'startScrub',
        tags: ['admin'],
        summary: 'Begins to verify all stored files against their digests; joins a scrub that is under way.',
        body: ScrubRequest,
        response: { 202: ScrubReport },
      },
    },
    async ({ body }, reply) => {
      reply.code(202);
      return await scrub.begin(body?.bytes_per_second ?? USUAL_BYTES_PER_SECOND);
    },
  );

  app.get(
    '/admin/scrub',
    {
      config,
      schema: {
        operationId: 'getScrub',
        tags: ['admin'],
        summary: 'How far the last scrub has come, and its findings.',
        response: { 200: ScrubReport },
      },
    },
    async () => scrub.report(),
  );

  app.delete(
    '/admin/scrub',
    {
      config,
      schema: {
        operationId: 'stopScrub',
        tags: ['admin'],
        summary: 'Ends the scrub that is under way.',
        response: { 200: ScrubReport },
      },
    },
    async () => await scrub.cancel(),
  );
}
