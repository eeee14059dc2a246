/**
 * Completes uploads of tus whose last byte was acknowledged by a server that ended before it could complete them. Their
 * clients may not ask again.
 */
import { UploadError } from '@cryolift/protocol/errors';
import { listWhole } from '../../db/uploads/appends.ts';
import { completeUpload } from '../completion.ts';
import type { UploadContext } from '../context.ts';

/** After `signal` none is started. */
export async function completeWholeUploads(context: UploadContext, signal?: AbortSignal): Promise<void> {
  for (const id of await listWhole(context.db, 'tus')) {
    if (signal?.aborted) return;
    await completeUpload(context, 'everybody', id, undefined, 'sweep').catch((error: unknown) => {
      // An upload whose bytes are refused has failed.
      if (!(error instanceof UploadError)) throw error;
      context.log.warn({ upload_id: id, code: error.code }, 'a whole upload was not completed');
    });
  }
}
