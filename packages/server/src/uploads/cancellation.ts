/** Cancelling an upload. */
import { UploadError } from '@cryolift/protocol/errors';
import { forgetTrial } from '../db/uploads/upload-purge.ts';
import type { AccessScope, UploadContext } from './context.ts';
import { freeUpload } from './ending.ts';
import { findUpload } from './lookup.ts';
import { moveUpload } from './transitions.ts';

/**
 * Cancels an upload on request of its owner and frees its space. Safe to repeat.
 *
 * @throws UploadError `upload_closed` when it is being published or is published.
 */
export async function cancelUpload(context: UploadContext, access: AccessScope, id: string): Promise<void> {
  const row = await findUpload(context, access, id);
  const cancelled = await moveUpload(context, id, 'cancel');
  if (cancelled) {
    await freeUpload(context, row);
    if (row.is_trial) await forgetTrial(context.db, id);
    context.log.info({ upload_id: id, received_bytes: row.received_bytes }, 'upload cancelled');
    return;
  }
  const now = await findUpload(context, access, id);
  if (now.status === 'cancelled' || now.status === 'expired') return;
  const message =
    now.status === 'completed'
      ? 'This upload is complete; delete its file instead.'
      : 'This upload is being verified and cannot be cancelled any more.';
  throw new UploadError('upload_closed', message, { details: { status: now.status, file_id: now.file_id } });
}
