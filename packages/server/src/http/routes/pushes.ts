/** Pushes of datasets: start, list, read, cancel; and the destinations. */
import { DestinationList, PushList, PushRecord, PushRequest } from '@cryolift/protocol/messages';
import { Type } from 'typebox';
import { cancelPush, getPush, listPushesOf, startPush } from '../../pushes/pushes.ts';
import { ownerOf } from '../auth/caller.ts';
import { DatasetParams, type Routes } from '../route-schema.ts';
import type { Services } from '../services.ts';
import { accessibleTo } from './datasets.ts';

const write = { scope: 'uploads:write' } as const;
const read = { scope: 'files:read' } as const;
const tags = ['datasets'];
const PushParams = Type.Object({ ...DatasetParams.properties, push_id: Type.String({ maxLength: 256 }) });

export function registerPushes(app: Routes, services: Services): void {
  registerDestinations(app, services);
  registerStart(app, services);
  registerList(app, services);
  registerOne(app, services);
}

function registerDestinations(app: Routes, { pushes }: Services): void {
  app.get(
    '/destinations',
    {
      config: read,
      schema: {
        operationId: 'listDestinations',
        tags,
        summary: 'Where the datasets of the caller may be pushed to, as the operator of the server has named it.',
        response: { 200: DestinationList },
      },
    },
    async ({ caller }) => ({ items: pushes.destinations.list(ownerOf(caller)) }),
  );
}

function registerStart(app: Routes, { pushes }: Services): void {
  app.post(
    '/datasets/:dataset_id/pushes',
    {
      config: write,
      schema: {
        operationId: 'pushDataset',
        tags,
        summary:
          'Copies a complete dataset to a destination, in the background. Safe to repeat; goes on after a failure.',
        params: DatasetParams,
        body: PushRequest,
        response: { 202: PushRecord },
        documented: {
          errors: ['dataset_not_found', 'dataset_not_complete', 'destination_not_found', 'quota_exceeded'],
        },
      },
    },
    async ({ caller, params: { dataset_id }, body }, reply) => {
      reply.code(202);
      return await startPush(pushes, dataset_id, accessibleTo(caller), body.to);
    },
  );
}

function registerList(app: Routes, { pushes }: Services): void {
  app.get(
    '/datasets/:dataset_id/pushes',
    {
      config: read,
      schema: {
        operationId: 'listPushes',
        tags,
        summary: 'The pushes of a dataset, the newest first.',
        params: DatasetParams,
        response: { 200: PushList },
        documented: { errors: ['dataset_not_found'] },
      },
    },
    async ({ caller, params: { dataset_id } }) => ({
      items: await listPushesOf(pushes, dataset_id, accessibleTo(caller)),
    }),
  );
}

function registerOne(app: Routes, { pushes }: Services): void {
  const documented = { errors: ['dataset_not_found', 'push_not_found'] as const };
  const response = { 200: PushRecord };
  const url = '/datasets/:dataset_id/pushes/:push_id';
  app.get(
    url,
    {
      config: read,
      schema: {
        operationId: 'getPush',
        tags,
        summary: 'How far a push is.',
        params: PushParams,
        response,
        documented,
      },
    },
    async ({ caller, params: { dataset_id, push_id } }) =>
      await getPush(pushes, dataset_id, push_id, accessibleTo(caller)),
  );
  app.delete(
    url,
    {
      config: write,
      schema: {
        operationId: 'cancelPush',
        tags,
        summary: 'Ends a push that is under way; the files that are at the destination stay there. Safe to repeat.',
        params: PushParams,
        response,
        documented,
      },
    },
    async ({ caller, params: { dataset_id, push_id } }) =>
      await cancelPush(pushes, dataset_id, push_id, accessibleTo(caller)),
  );
}
