/** Finds an upload for a caller in its current state. */
import { UploadError } from '@cryolift/protocol/errors';
import type { UploadRecord } from '@cryolift/protocol/messages';
import { transition } from '@cryolift/protocol/states';
import type { UploadRow } from '../db/tables.ts';
import { findUploadRow } from '../db/uploads/uploads.ts';
import { type AccessScope, canAccess, type UploadContext } from './context.ts';
import { expireUpload, isOverdue } from './ending.ts';
import { type Upload, uploadOf } from './upload.ts';
import { toUpload } from './upload-record.ts';
import { waitForReverification } from './verification/reverification.ts';

/**
 * The upload, expired if it is due and with its parts re-verified after a crash of the system.
 *
 * @throws UploadError `upload_not_found` when it does not exist or belongs to another owner; `overloaded` while its
 *   parts are being re-verified.
 */
export async function findUpload(context: UploadContext, access: AccessScope, id: string): Promise<UploadRow> {
  let row = await findUploadRow(context.db, id);
  if (!row || !canAccess(access, row.owner, row.link_id)) throw uploadNotFound(id);
  if (isOverdue(context, row) && transition(row.status, 'expire')) {
    const expired = await expireUpload(context, row);
    if (expired) return expired;
    // Another request may have expired it since the row was read.
    row = await findUploadRow(context.db, id);
    if (!row) throw uploadNotFound(id);
  }
  return row.must_recheck ? await waitForReverification(context, row) : row;
}

/** @throws UploadError as `findUpload` does. */
export async function getUpload(context: UploadContext, access: AccessScope, id: string): Promise<Upload> {
  return uploadOf(await findUpload(context, access, id));
}

/** The message for clients. @throws UploadError as `findUpload` does. */
export async function showUpload(context: UploadContext, access: AccessScope, id: string): Promise<UploadRecord> {
  return await toUpload(context.db, await findUpload(context, access, id));
}

export function uploadNotFound(id: string): UploadError {
  return new UploadError('upload_not_found', `There is no upload ${id}.`);
}
