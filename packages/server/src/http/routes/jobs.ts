/** What the server does with a file after it was published. */
import { JobList } from '@cryolift/protocol/messages';
import { getFile } from '../../files/files.ts';
import { listJobs } from '../../files/jobs.ts';
import { reaches } from '../../uploads/context.ts';
import { hasScope, reachOf } from '../auth/caller.ts';
import { answers, FileParams, type Routes } from '../route-schema.ts';
import type { Services } from '../services.ts';

export function registerJobs(app: Routes, { uploads: room }: Services): void {
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
      const row = await getFile(room, params.file_id, (owner) => reaches(reachOf(caller), owner));
      // What a command of the administrator prints may tell of the server's paths.
      return { items: await listJobs(room, row, hasScope(caller, 'files:locate')) };
    },
  );
}
