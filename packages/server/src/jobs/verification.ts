/** Re-verifies uploads after a power loss, and finishes concatenations and completions. It may read TiBs, so no request waits for it. */
import { findUploadRow, listToReverify } from '../db/uploads/uploads.ts';
import { resumeConcatenations } from '../uploads/append/concatenating.ts';
import { completeWholeUploads } from '../uploads/append/whole.ts';
import { resumeVerifying } from '../uploads/completion.ts';
import type { UploadContext } from '../uploads/context.ts';
import { reverify } from '../uploads/verification/reverification.ts';
import { attempt } from './attempt.ts';

/** One round: at the start, from time to time, and after a sweep. After `signal` no upload is started. */
export async function verifyUploads(context: UploadContext, signal?: AbortSignal): Promise<void> {
  const ids = await attempt(context, 'verify again', () => listToReverify(context.db));
  // Parts that could not be read are read in the next round.
  for (const id of ids ?? []) {
    if (signal?.aborted) return;
    await attempt(context, 'verify again', async () => {
      const row = await findUploadRow(context.db, id);
      if (row?.must_recheck) await reverify(context, row);
    });
  }
  await attempt(context, 'concatenate', () => resumeConcatenations(context, signal));
  await attempt(context, 'complete', () => completeWholeUploads(context, signal));
  await attempt(context, 'complete', () => resumeVerifying(context, signal));
}
