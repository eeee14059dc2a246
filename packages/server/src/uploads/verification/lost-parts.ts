/** What a sender learns whose parts the storage has lost. */
import { UploadError } from '@cryolift/protocol/errors';
import type { UploadRow } from '../../db/tables.ts';
import { LIVE_STATES } from '../../db/uploads/parts.ts';
import { findUploadRow } from '../../db/uploads/uploads.ts';
import type { UploadContext } from '../context.ts';
import { uploadClosed } from '../parts/part-request.ts';
import { reverify } from './reverification.ts';

/**
 * The place of an upload is gone, with the bytes of all parts that were recorded: the rows are invalidated, so that clients
 * send the parts again. The caller must not hold an attempt.
 *
 * @param row as it was before: an upload that has ended since is freed, and has lost nothing.
 */
export async function reportLost(context: UploadContext, row: UploadRow): Promise<UploadError> {
  const now = await findUploadRow(context.db, row.id);
  if (now && !LIVE_STATES.includes(now.status)) return uploadClosed(now);
  context.log.error({ upload_id: row.id }, 'the bytes of recorded parts are gone');
  await reverify(context, row);
  return new UploadError(
    'storage_unavailable',
    'The storage lost the parts of this upload; ask what is missing and send it.',
  );
}
