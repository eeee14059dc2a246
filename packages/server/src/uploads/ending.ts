/** The ends of a session other than a file: cancelled, expired, failed. */
import { UploadError } from '@cryolift/protocol/errors';
import { forgetTrial } from '../db/sessions.ts';
import type { UploadRow } from '../db/tables.ts';
import type { Reach, UploadRoom } from './context.ts';
import { findUpload } from './lookup.ts';
import { moveUpload } from './transitions.ts';
import type { Failure } from './upload-record.ts';

/**
 * Ends a session at its owner's wish and frees its space. Safe to repeat.
 *
 * @throws UploadError `upload_closed` when it is being published or is a file already.
 */
export async function cancelUpload(room: UploadRoom, reach: Reach, id: string): Promise<void> {
  const row = await findUpload(room, reach, id);
  const cancelled = await moveUpload(room, id, 'cancel');
  if (cancelled) {
    await freeUpload(room, id);
    if (row.is_trial) await forgetTrial(room.db, id);
    room.log.info({ upload_id: id, received_bytes: row.received_bytes }, 'upload cancelled');
    return;
  }
  const now = await findUpload(room, reach, id);
  if (now.status === 'cancelled' || now.status === 'expired') return;
  const message =
    now.status === 'completed'
      ? 'This upload is complete; delete its file instead.'
      : 'This upload is being verified and cannot be cancelled any more.';
  throw new UploadError('upload_closed', message, { details: { status: now.status, file_id: now.file_id } });
}

/** Nothing has come for longer than a session is kept, as far as the clock can say. */
export function isOverdue(room: UploadRoom, row: UploadRow): boolean {
  return room.isClockSettled() && row.expires_at <= room.now();
}

/**
 * Ends a session whose time is over.
 *
 * @returns the row after that, or undefined when it is not one that expires, or is being verified: then it expires later.
 */
export async function expireUpload(room: UploadRoom, row: UploadRow): Promise<UploadRow | undefined> {
  if (room.attempts.isExclusive(row.id)) return undefined;
  const expired = await moveUpload(room, row.id, 'expire');
  if (!expired) return undefined;
  await freeUpload(room, row.id);
  room.log.info({ upload_id: row.id, received_bytes: row.received_bytes }, 'upload expired');
  return expired;
}

/** Ends a session whose bytes are wrong. They are kept until it expires. */
export async function failUpload(
  room: UploadRoom,
  row: UploadRow,
  error: UploadError,
  requestId: string,
): Promise<void> {
  const failure: Failure = {
    code: error.code,
    message: error.message,
    request_id: requestId,
    ...(error.details ? { details: error.details } : {}),
  };
  await moveUpload(room, row.id, 'fail', {
    failure: JSON.stringify(failure),
    expires_at: room.now() + room.policy.sessionTtlMs,
  });
  room.arrivals.forget(row.id);
  room.verified.forget(row.id);
  room.log.warn({ upload_id: row.id, code: error.code }, 'upload failed');
}

/** The row says that the session is over: stop what still writes, then free the space. */
async function freeUpload(room: UploadRoom, id: string): Promise<void> {
  await room.attempts.exclude(id, async () => {
    room.arrivals.forget(id);
    room.verified.forget(id);
    // What cannot be removed now is found without a row at the next sweep.
    await room.store
      .discard(id)
      .catch((error: unknown) => room.log.error({ upload_id: id, err: error }, 'staging file not removed'));
  });
}
