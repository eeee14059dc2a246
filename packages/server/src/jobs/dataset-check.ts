/** The job that completes a dataset by itself, when it is whole. */
import type { DatasetContext } from '../datasets/context.ts';
import { completeWhenWhole } from '../datasets/transitions.ts';
import { forgetChecks } from '../db/datasets/check-jobs.ts';
import type { Work } from './queue.ts';

export function checkDatasetWork(context: DatasetContext): Work {
  return {
    // An upload to it may end after days.
    maxAttempts: Number.MAX_SAFE_INTEGER,
    async run({ file_id: id }) {
      await forgetChecks(context.db, id);
      const outcome = await completeWhenWhole(context, id);
      // What is missing adds a job when it arrives, and so does the end of an upload. That of a reading adds none.
      return { status: outcome === 'pending' ? 'later' : 'done', detail: { message: outcome } };
    },
  };
}
