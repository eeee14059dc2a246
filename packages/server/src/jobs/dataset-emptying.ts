/** The job that deletes the files of a dataset that was deleted or has expired, and cancels uploads to it. */
import { UploadError } from '@cryolift/protocol/errors';
import { forgetExpected } from '../db/datasets/expected.ts';
import { countLiveUploads, forgetDataset, listFileIdsOf, listUploadsOf } from '../db/datasets/members.ts';
import { findAnyDataset } from '../db/datasets/rows.ts';
import { betweenSteps } from '../durable-step.ts';
import { deleteFiles } from '../files/deletion.ts';
import { cancelUpload } from '../uploads/cancellation.ts';
import type { UploadContext } from '../uploads/context.ts';
import type { Work } from './queue.ts';

/** Between two, the job can end. */
const BATCH = 200;

export function emptyDatasetWork(context: UploadContext): Work {
  return {
    // It is repeated until all is done: nobody else would do it.
    maxAttempts: Number.MAX_SAFE_INTEGER,
    async run({ file_id: id }, signal) {
      const row = await findAnyDataset(context.db, id);
      if (!row) return { status: 'done', detail: {} };
      await cancelUploads(context, id);
      for (;;) {
        const ids = await listFileIdsOf(context.db, id, BATCH);
        if (ids.length === 0 || signal.aborted) break;
        await deleteFiles(context, ids, () => true);
      }
      betweenSteps('dataset.emptied');
      while (row.deleted_at !== null && (await forgetExpected(context.db, id, BATCH)) === BATCH);
      const isEmpty =
        row.deleted_at === null
          ? (await countLiveUploads(context.db, id)) === 0
          : await context.outbox.transact((tx) => forgetDataset(tx, id));
      if (isEmpty) return { status: 'done', detail: {} };
      return { status: 'later', detail: { message: 'An upload to this dataset has not ended.' } };
    },
  };
}

/** One that is being verified is published, and its file deleted by the next attempt. */
async function cancelUploads(context: UploadContext, id: string): Promise<void> {
  for (const { id: uploadId } of await listUploadsOf(context.db, id, BATCH)) {
    await cancelUpload(context, 'everybody', uploadId).catch((error: unknown) => {
      if (!(error instanceof UploadError)) throw error;
    });
  }
}
