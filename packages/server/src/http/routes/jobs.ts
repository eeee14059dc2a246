/** Lists the jobs that the server runs on a published file. */
import { JobList } from '@cryolift/protocol/messages';
import { listJobs } from '../../files/jobs.ts';
import { hasScope } from '../auth/caller.ts';
import { FileParams, type Routes } from '../route-schema.ts';
import type { Services } from '../services.ts';
import { findFile } from './find-file.ts';

export function registerJobs(app: Routes, { uploads: context }: Services): void {
  app.get(
    '/files/:file_id/jobs',
    {
      config: { scope: 'files:read' },
      schema: {
        operationId: 'listFileJobs',
        tags: ['files'],
        summary: 'Jobs of a published file and their outcomes.',
        params: FileParams,
        response: { 200: JobList },
        documented: { errors: ['file_not_found'] },
      },
    },
    async ({ caller, params }) => {
      const { id } = await findFile(context, caller, params.file_id);
      // The output of an administrator's command may contain paths of the server.
      return { items: await listJobs(context, id, hasScope(caller, 'files:locate')) };
    },
  );
}
