/** Datasets: make, list, read, change, delete, complete, release, reopen. */
import {
  CompleteDatasetRequest,
  DatasetChanges,
  DatasetPage,
  DatasetQuery,
  DatasetRecord,
  DatasetRequest,
  FilePage,
  FileQuery,
  FileTree,
  TreeQuery,
} from '@cryolift/protocol/messages';
import { createDataset, deleteDataset, getDataset, pageOfDatasets, updateDataset } from '../../datasets/datasets.ts';
import { showDataset } from '../../datasets/stream.ts';
import { completeDataset, releaseDataset, reopenDataset } from '../../datasets/transitions.ts';
import { treeOfDataset } from '../../datasets/tree.ts';
import { listDatasetFiles } from '../../files/library.ts';
import { canAccess } from '../../uploads/context.ts';
import { readFullAt } from '../../uploads/overview.ts';
import { accessOf, type Caller, hasScope, ownerOf } from '../auth/caller.ts';
import { DatasetParams, type Routes } from '../route-schema.ts';
import type { Services } from '../services.ts';
import { presentFile } from './files.ts';

const write = { scope: 'uploads:write' } as const;
const read = { scope: 'files:read' } as const;
const tags = ['datasets'];
const params = DatasetParams;

export function registerDatasets(app: Routes, services: Services): void {
  registerCollection(app, services);
  registerShow(app, services);
  registerUpdate(app, services);
  registerDelete(app, services);
  registerFiles(app, services);
  registerTree(app, services);
  registerComplete(app, services);
  registerMoves(app, services);
}

/** Whether the caller may access what an owner has. */
export function accessibleTo(caller: Caller): (owner: string) => boolean {
  const access = accessOf(caller);
  return (owner) => canAccess(access, owner);
}

function registerCollection(app: Routes, { uploads: context }: Services): void {
  app.post(
    '/datasets',
    {
      config: write,
      schema: {
        operationId: 'createDataset',
        tags,
        summary: 'Makes a dataset of the caller.',
        body: DatasetRequest,
        response: { 201: DatasetRecord },
        documented: { errors: ['dataset_exists', 'quota_exceeded'] },
      },
    },
    async ({ caller, body }, reply) => {
      reply.code(201);
      return await createDataset(context, ownerOf(caller), body);
    },
  );
  app.get(
    '/datasets',
    {
      config: read,
      schema: {
        operationId: 'listDatasets',
        tags,
        summary: "The caller's datasets, newest first, or as the query asks.",
        querystring: DatasetQuery,
        response: { 200: DatasetPage },
      },
    },
    async ({ caller, query: { limit = 100, ...query } }) =>
      await pageOfDatasets(context, ownerOf(caller), query, limit),
  );
}

function registerShow(app: Routes, { uploads: context }: Services): void {
  app.get(
    '/datasets/:dataset_id',
    {
      config: read,
      schema: {
        operationId: 'getDataset',
        tags,
        summary: "A dataset's record.",
        params,
        response: { 200: DatasetRecord },
        documented: { errors: ['dataset_not_found'] },
      },
    },
    async ({ caller, params: { dataset_id } }) => {
      const dataset = await showDataset(context, dataset_id, accessibleTo(caller));
      const { stream } = dataset;
      if (!stream || !hasScope(caller, 'admin')) return dataset;
      return { ...dataset, stream: { ...stream, storage_full_at: await readFullAt(context) } };
    },
  );
}

function registerUpdate(app: Routes, { uploads: context }: Services): void {
  app.patch(
    '/datasets/:dataset_id',
    {
      config: write,
      schema: {
        operationId: 'updateDataset',
        tags,
        summary: 'Changes what is said of a dataset.',
        params,
        body: DatasetChanges,
        response: { 200: DatasetRecord },
        documented: { errors: ['dataset_not_found', 'dataset_exists'] },
      },
    },
    async ({ caller, params: { dataset_id }, body }) =>
      await updateDataset(context, dataset_id, accessibleTo(caller), body),
  );
}

function registerDelete(app: Routes, { uploads: context }: Services): void {
  app.delete(
    '/datasets/:dataset_id',
    {
      config: { scope: 'files:delete' },
      schema: {
        operationId: 'deleteDataset',
        tags,
        summary: 'Deletes a dataset with its files, permanently; the files are deleted in the background.',
        params,
        response: { 202: DatasetRecord },
        documented: { errors: ['dataset_not_found'] },
      },
    },
    async ({ caller, params: { dataset_id } }, reply) => {
      reply.code(202);
      return await deleteDataset(context, dataset_id, accessibleTo(caller));
    },
  );
}

function registerFiles(app: Routes, { uploads: context }: Services): void {
  app.get(
    '/datasets/:dataset_id/files',
    {
      config: read,
      schema: {
        operationId: 'listDatasetFiles',
        tags,
        summary: 'The files of a dataset, newest first, or as the query asks.',
        params,
        querystring: FileQuery,
        response: { 200: FilePage },
        documented: { errors: ['dataset_not_found'] },
      },
    },
    async ({ caller, params: { dataset_id }, query: { limit = 100, ...query } }) => {
      const dataset = await getDataset(context, dataset_id, accessibleTo(caller));
      const page = await listDatasetFiles(context, dataset, query, limit);
      return { ...page, items: page.items.map((file) => presentFile(context, caller, file)) };
    },
  );
}

function registerTree(app: Routes, { uploads: context }: Services): void {
  app.get(
    '/datasets/:dataset_id/tree',
    {
      config: read,
      schema: {
        operationId: 'listDatasetFolders',
        tags,
        summary: 'The folders of a dataset directly below a prefix, by name.',
        params,
        querystring: TreeQuery,
        response: { 200: FileTree },
        documented: { errors: ['dataset_not_found'] },
      },
    },
    async ({ caller, params: { dataset_id }, query: { limit = 100, ...query } }) =>
      await treeOfDataset(context, await getDataset(context, dataset_id, accessibleTo(caller)), { ...query, limit }),
  );
}

function registerComplete(app: Routes, { uploads: context }: Services): void {
  app.post(
    '/datasets/:dataset_id/complete',
    {
      config: write,
      schema: {
        operationId: 'completeDataset',
        tags,
        summary: 'Completes a dataset that is whole: it takes no more files. Safe to repeat.',
        params,
        body: CompleteDatasetRequest,
        response: { 200: DatasetRecord },
        documented: { errors: ['dataset_not_found', 'dataset_closed', 'dataset_incomplete'] },
      },
    },
    async ({ caller, params: { dataset_id }, body }) =>
      await completeDataset(context, dataset_id, accessibleTo(caller), {
        force: body?.force ?? false,
        by: ownerOf(caller),
      }),
  );
}

function registerMoves(app: Routes, { uploads: context }: Services): void {
  const documented = { errors: ['dataset_not_found', 'dataset_closed'] as const };
  const response = { 200: DatasetRecord };
  app.post(
    '/datasets/:dataset_id/release',
    {
      config: write,
      schema: {
        operationId: 'releaseDataset',
        tags,
        summary: 'Says that the files of a complete dataset were handed over. Safe to repeat.',
        params,
        response,
        documented,
      },
    },
    async ({ caller, params: { dataset_id } }) => await releaseDataset(context, dataset_id, accessibleTo(caller)),
  );
  app.post(
    '/datasets/:dataset_id/reopen',
    {
      config: write,
      schema: {
        operationId: 'reopenDataset',
        tags,
        summary: 'Lets a complete dataset take files again. Safe to repeat.',
        params,
        response,
        documented,
      },
    },
    async ({ caller, params: { dataset_id } }) => await reopenDataset(context, dataset_id, accessibleTo(caller)),
  );
}
