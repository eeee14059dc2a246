/** What the server does with a file after it was published. */
import { JobList } from '@cryolift/protocol/messages';
import { getFile } from '../../files/files.ts';
import { listJobs } from '../../files/jobs.ts';
import { canAccess } from '../../uploads/context.ts';
import { accessOf, hasScope } from '../auth/caller.ts';
import { FileParams, type Routes } from '../route-schema.ts';
import type { Services } from '../services.ts';

export function registerJobs(app: Routes, { uploads: context }: Services): void {
  app.get(
    '/files/:file_id/jobs',
    {
      config: { scope: 'files:read' },
      schema: {
        operationId: 'listFileJobs',
        tags: ['files'],
        summary: 'The work done on a file after it was published, and how it ended.',
        params: FileParams,
        response: { 200: JobList },
        documented: { errors: ['file_not_found'] },
      },
    },
    async ({ caller, params }) => {
      const row = await getFile(context, params.file_id, (owner) => canAccess(accessOf(caller), owner));
      // What a command of the administrator prints may tell of the server's paths.
      return { items: await listJobs(context, row, hasScope(caller, 'files:locate')) };
    },
  );
}
