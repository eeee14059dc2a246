/** Calls for administrators, on the things of all owners. */
import {
  Overview,
  OwnedUploadPage,
  OwnerPage,
  OwnerQuery,
  ScrubReport,
  ScrubRequest,
  SweepReport,
  Swept,
  UploadQuery,
} from '@cryolift/protocol/messages';
import { listAllUploads } from '../../uploads/listing.ts';
import { readOverview } from '../../uploads/overview.ts';
import { pageOfOwners } from '../../uploads/owners.ts';
import type { Routes } from '../route-schema.ts';
import type { Services } from '../services.ts';

/** After this time a client asks again how far a sweep is. */
const RETRY_SECONDS = 2;
const DEFAULT_BYTES_PER_SECOND = 50 * 1024 * 1024;

const config = { scope: 'admin' } as const;

export function registerAdmin(app: Routes, services: Services): void {
  registerOverview(app, services);
  registerUploads(app, services);
  registerOwners(app, services);
  registerSweep(app, services);
  registerScrub(app, services);
}

function registerOverview(app: Routes, { uploads: context, version, options: { webhook } }: Services): void {
  app.get(
    '/admin/overview',
    {
      config,
      schema: {
        operationId: 'getOverview',
        tags: ['admin'],
        summary: 'State of the server: space, uploads, failures of the last day, jobs, webhook.',
        response: { 200: Overview },
      },
    },
    async () => await readOverview(context, { version, hasWebhook: webhook !== null }),
  );
}

function registerUploads(app: Routes, { uploads: context }: Services): void {
  app.get(
    '/admin/sessions',
    {
      config,
      schema: {
        operationId: 'listAllUploads',
        tags: ['admin'],
        summary: 'The uploads of all owners, newest first.',
        querystring: UploadQuery,
        response: { 200: OwnedUploadPage },
      },
    },
    async ({ query: { limit = 100, ...query } }) => await listAllUploads(context, { ...query, limit }),
  );
}

function registerOwners(app: Routes, { uploads: context }: Services): void {
  app.get(
    '/admin/owners',
    {
      config,
      schema: {
        operationId: 'listOwners',
        tags: ['admin'],
        summary: 'What every owner has: files, bytes, open uploads.',
        querystring: OwnerQuery,
        response: { 200: OwnerPage },
      },
    },
    async ({ query: { limit = 100, sort = 'bytes', cursor } }) => await pageOfOwners(context, sort, { cursor, limit }),
  );
}

function registerSweep(app: Routes, { sweep }: Services): void {
  app.post(
    '/admin/sweep',
    {
      config,
      schema: {
        operationId: 'startSweep',
        tags: ['admin'],
        summary: 'Starts a sweep: expires uploads, frees space, deletes old rows.',
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
        summary: 'State and result of the last requested sweep.',
        response: { 200: SweepReport },
      },
    },
    async () => sweep.report(),
  );
}

function registerScrub(app: Routes, { scrub }: Services): void {
  app.post(
    '/admin/scrub',
    {
      config,
      schema: {
        operationId: 'startScrub',
        tags: ['admin'],
        summary: 'Starts to verify all stored files against their digests; joins a running scrub.',
        body: ScrubRequest,
        response: { 202: ScrubReport },
      },
    },
    async ({ body }, reply) => {
      reply.code(202);
      return await scrub.begin(body?.bytes_per_second ?? DEFAULT_BYTES_PER_SECOND);
    },
  );

  app.get(
    '/admin/scrub',
    {
      config,
      schema: {
        operationId: 'getScrub',
        tags: ['admin'],
        summary: 'State and findings of the last scrub.',
        response: { 200: ScrubReport },
      },
    },
    async () => await scrub.report(),
  );

  app.delete(
    '/admin/scrub',
    {
      config,
      schema: {
        operationId: 'stopScrub',
        tags: ['admin'],
        summary: 'Stops the running scrub.',
        response: { 200: ScrubReport },
      },
    },
    async () => await scrub.cancel(),
  );
}
