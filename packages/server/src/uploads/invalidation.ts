/** Parts whose bytes the storage does not have any more: their rows go, and they are asked for again. */
import { UploadError } from '@cryolift/protocol/errors';
import { findMissing, forgetParts, LIVE_STATES, listParts } from '../db/parts.ts';
import { findSession } from '../db/sessions.ts';
import type { UploadRow } from '../db/tables.ts';
import type { UploadRoom } from './context.ts';
import { toPlace, toStaged } from './upload-record.ts';

/**
 * Invalidates the parts `lost`, none of them to only count again what is there. The caller has the stored bytes for itself
 * (`Attempts.exclude`).
 *
 * @returns the row after that, or undefined when the upload has ended.
 */
export async function invalidateParts(
  room: UploadRoom,
  row: UploadRow,
  lost: readonly number[],
): Promise<UploadRow | undefined> {
  const nowMs = room.now();
  const now = await forgetParts(room.db, row, lost, { nowMs, expiresAtMs: nowMs + room.policy.sessionTtlMs });
  room.arrivals.forget(row.id);
  room.store.forgetDigest(row.id);
  if (!now) return undefined;
  room.meter.noteVerifyFailures('stored_part', lost.length);
  room.bus.noteParts(now);
  return now;
}

/** The disk failed to keep bytes of this upload, and nobody can tell which: every part is asked for again. */
export async function invalidateAll(room: UploadRoom, uploadId: string): Promise<void> {
  const row = await findSession(room.db, uploadId);
  if (!row || !LIVE_STATES.includes(row.status)) return;
  await withdraw(room, row);
  // Before the rows go: a server that ends here finds parts without bytes, not bytes that look right and are not kept.
  await room.store.discard(uploadId);
  distrustParts(room, uploadId);
  const parts = await listParts(room.db, uploadId, 0, row.part_count);
  await invalidateParts(
    room,
    row,
    parts.map((part) => part.idx),
  );
  room.log.error({ upload_id: uploadId, lost_parts: parts.length }, 'the disk failed to keep the parts of an upload');
}

/** Every part is to be verified again, in a pass that begins anew: the one under way has not selected them. */
export function distrustParts(room: UploadRoom, uploadId: string): void {
  room.verified.forget(uploadId);
  room.store.forgetDigest(uploadId);
}

/** A publish that was cut off may have moved the bytes; parts are written and verified in the staging area. */
export async function withdraw(room: UploadRoom, row: UploadRow): Promise<void> {
  if (row.status === 'verifying' && row.file_id) await room.store.withdraw(toStaged(row), toPlace(row, row.file_id));
}

/** Says which parts are missing. */
export async function uploadIncomplete(room: UploadRoom, row: UploadRow): Promise<UploadError> {
  const missing = await findMissing(room.db, row);
  return new UploadError(
    'upload_incomplete',
    `${row.part_count - row.received_parts} of ${row.part_count} parts are missing.`,
    {
      details: { missing_parts: missing.ranges, ...(missing.truncated ? { missing_truncated: true } : {}) },
    },
  );
}
