/** Finding a session for a caller, as it is at this moment. */
import { UploadError } from '@cryolift/protocol/errors';
import { transition } from '@cryolift/protocol/states';
import { findSession } from '../db/sessions.ts';
import type { UploadRow } from '../db/tables.ts';
import { type Reach, reaches, type UploadRoom } from './context.ts';
import { expireUpload, isOverdue } from './ending.ts';

/**
 * The session, expired if its time is over and with its parts re-verified if the system went down.
 *
 * @throws UploadError `upload_not_found` when it does not exist or belongs to another owner; `overloaded` while its
 *   parts are being re-verified.
 */
export async function findUpload(room: UploadRoom, reach: Reach, id: string): Promise<UploadRow> {
  const row = await findSession(room.db, id);
  if (!row || !reaches(reach, row.owner, row.link_id)) throw uploadNotFound(id);
  const expired = isOverdue(room, row) && transition(row.status, 'expire') ? await expireUpload(room, row) : undefined;
  if (expired) return expired;
  return row.must_recheck ? await room.rechecks.wait(room, row) : row;
}

export function uploadNotFound(id: string): UploadError {
  return new UploadError('upload_not_found', `There is no upload ${id}.`);
}
