/**
 * Appends a body to an upload: the bytes are divided into parts, which are written, hashed and recorded as those of any
 * upload. What is not a whole part is kept as a piece. One append to an upload runs at a time; a newer one ends it.
 */

import { findAppend } from '../../db/uploads/appends.ts';
import { BytesGone } from '../../storage/errors.ts';
import type { AccessScope, UploadContext } from '../context.ts';
import { assertOpen } from '../parts/part-request.ts';
import { reportLost } from '../verification/lost-parts.ts';
import { AppendReceiver } from './append-receiver.ts';
import type { AppendRequest } from './append-request.ts';
import { finishPartBefore } from './last-part.ts';
import { grow } from './length.ts';
import { mergePieces } from './merge.ts';
import { offsetMismatch, tooLong } from './refusals.ts';
import { APPEND, findAppended, offsetOf } from './state.ts';

/**
 * Checks everything that needs no body, after the append that is under way has ended.
 *
 * @throws UploadError `offset_mismatch`, `upload_not_found`, `upload_closed`, `upload_expired`, `file_too_large`,
 *   `quota_exceeded`, `insufficient_storage`, and those of the storage.
 */
export async function beginAppend(
  context: UploadContext,
  access: AccessScope,
  request: AppendRequest,
): Promise<AppendReceiver> {
  const { uploadId, offset, lengthBytes } = request;
  const open = await findAppended(context, access, uploadId);
  assertOpen(open);
  context.doubtful.assertNone(uploadId);
  const attempt = await context.attempts.begin(uploadId, APPEND);
  try {
    // The older append may have kept bytes, or filled the upload, while this one waited for it.
    let row = await findAppended(context, access, uploadId);
    assertOpen(row);
    context.doubtful.assertNone(uploadId);
    let expected = await offsetOf(context, row);
    if (await finishPartBefore(context, row, expected, request.requestId)) {
      row = await findAppended(context, access, uploadId);
      // Parts behind it may be recorded.
      expected = await offsetOf(context, row);
    }
    if (offset !== expected) throw offsetMismatch(expected, offset);
    if (!row.is_growing && offset + (lengthBytes ?? 0) > row.size) throw tooLong(row.size);
    const grown = await grow(context, row, offset + (lengthBytes ?? 0));
    const stalled = (await findAppend(context.db, uploadId))?.stalled ?? 0;
    await mergePieces(context, grown, offset);
    return new AppendReceiver(context, grown, request, attempt, stalled);
  } catch (error) {
    attempt.release();
    // The verification waits for the end of every attempt, of this one, too.
    if (error instanceof BytesGone) throw await reportLost(context, open);
    throw error;
  }
}
