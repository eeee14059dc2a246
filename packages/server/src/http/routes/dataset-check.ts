/** What is expected of a dataset, and whether it has arrived. */
import {
  AnnouncedFiles,
  CheckQuery,
  DatasetCheck,
  ExpectedFiles,
  WithdrawnFiles,
  WithdrawRequest,
} from '@cryolift/protocol/messages';
import { checkDataset } from '../../datasets/check.ts';
import { announceFiles, withdrawFiles } from '../../datasets/expected.ts';
import { DatasetParams, type Routes } from '../route-schema.ts';
import type { Services } from '../services.ts';
import { accessibleTo } from './datasets.ts';

export function registerDatasetCheck(app: Routes, { uploads: context }: Services): void {
  app.post(
    '/datasets/:dataset_id/expected',
    {
      config: { scope: 'uploads:write' },
      schema: {
        operationId: 'announceFiles',
        tags: ['datasets'],
        summary: 'Announces files that a dataset is to have; safe to repeat.',
        params: DatasetParams,
        body: ExpectedFiles,
        response: { 200: AnnouncedFiles },
        documented: { errors: ['dataset_not_found', 'dataset_closed', 'quota_exceeded'] },
      },
    },
    async ({ caller, params: { dataset_id }, body }) =>
      await announceFiles(context, dataset_id, accessibleTo(caller), body),
  );
  app.post(
    '/datasets/:dataset_id/expected/withdraw',
    {
      config: { scope: 'uploads:write' },
      schema: {
        operationId: 'withdrawFiles',
        tags: ['datasets'],
        summary: 'Withdraws files that were announced: some by their paths, or all; safe to repeat.',
        params: DatasetParams,
        body: WithdrawRequest,
        response: { 200: WithdrawnFiles },
        documented: { errors: ['dataset_not_found', 'dataset_closed'] },
      },
    },
    async ({ caller, params: { dataset_id }, body }) =>
      await withdrawFiles(context, dataset_id, accessibleTo(caller), body),
  );
  app.get(
    '/datasets/:dataset_id/check',
    {
      config: { scope: 'files:read' },
      schema: {
        operationId: 'checkDataset',
        tags: ['datasets'],
        summary: 'What is missing, wrong, present, extra and double in a dataset: all counts, and one list.',
        params: DatasetParams,
        querystring: CheckQuery,
        response: { 200: DatasetCheck },
        documented: { errors: ['dataset_not_found'] },
      },
    },
    async ({ caller, params: { dataset_id }, query: { limit = 100, ...query } }) =>
      await checkDataset(context, dataset_id, accessibleTo(caller), query, limit),
  );
}
