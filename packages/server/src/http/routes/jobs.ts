/** Lists the jobs that the server runs on a published file. */
import { JobList } from '@cryolift/protocol/messages';
import { listJobs } from '../../files/jobs.ts';
import { hasScope } from '../auth/caller.ts';
import { answers, FileParams, type Routes } from '../route-schema.ts';
import type { Services } from '../services.ts';
import { findFile } from './find-file.ts';

export function registerJobs(app: Routes, { uploads: context }: Services): void {
  app.get(
    '/files/:file_id/jobs',
    {
      config: { scope: 'files:read' },
      schema: {
        summary: 'The work done on a file after it was published, and how it ended.',
        params: FileParams,
        response: answers({ 200: JobList }),
      },
    },
    async ({ caller, params }) => {
      const { id } = await findFile(context, caller, params.file_id);
      // The output of an administrator's command may contain paths of the server.
      return { items: await listJobs(context, id, hasScope(caller, 'files:locate')) };
    },
  );
}
