/** Invalidates parts whose bytes the storage has lost: deletes their rows, so that clients send them again. */
import { UploadError } from '@cryolift/protocol/errors';
import { forgetRead } from '../../analysis/forget-read.ts';
import type { UploadRow } from '../../db/tables.ts';
import { findMissing, forgetParts, LIVE_STATES, listParts } from '../../db/uploads/parts.ts';
import { findUploadRow } from '../../db/uploads/uploads.ts';
import type { UploadContext } from '../context.ts';
import { toPlace, toStaged } from '../upload-record.ts';
import { discardStaged } from './staged-bytes.ts';
import { forgetPieces } from './stored-pieces.ts';

/**
 * Invalidates the parts `lost`; an empty list only corrects the counters. The caller has exclusive use of the stored
 * bytes (`PartAttempts.exclude`).
 *
 * @returns the row after that, or undefined when the upload has ended.
 */
export async function invalidateParts(
  context: UploadContext,
  row: UploadRow,
  lost: readonly number[],
): Promise<UploadRow | undefined> {
  const nowMs = context.now();
  const times = { nowMs, expiresAtMs: nowMs + context.policy.uploadTtlMs };
  const now = await forgetParts(context.db, row, lost, times, context.attempts.guardExclusive(row.id));
  context.prefixes.forget(row.id);
  forgetRead(context, row.id);
  if (!now) return undefined;
  context.meter.noteVerifyFailures('stored_part', lost.length);
  context.bus.noteParts(now);
  return now;
}

/** The disk has lost unknown bytes of this upload: every part must be sent again. */
export async function invalidateAll(context: UploadContext, uploadId: string): Promise<void> {
  const row = await findUploadRow(context.db, uploadId);
  if (!row || !LIVE_STATES.includes(row.status)) return;
  await withdraw(context, row);
  await context.attempts.assertExclusive(uploadId);
  // Before the rows go: a server that ends here finds parts without bytes, not bytes that look right and are not kept.
  await discardStaged(context, toStaged(row));
  distrustParts(context, uploadId);
  if (row.door) await forgetPieces(context, uploadId);
  const parts = await listParts(context.db, uploadId, 0, row.part_count);
  await invalidateParts(
    context,
    row,
    parts.map((part) => part.idx),
  );
  context.log.error({ upload_id: uploadId, lost_parts: parts.length }, 'the disk lost parts of an upload');
}

/** Every part must be verified again in a new pass, because the running one has not selected them. */
export function distrustParts(context: UploadContext, uploadId: string): void {
  context.verified.forget(uploadId);
  forgetRead(context, uploadId);
}

/**
 * A publish that was cut off may have moved the bytes, or made one object of them; parts are written and verified in the
 * staging area.
 *
 * @returns 'lost' when no part is stored any more.
 */
export async function withdraw(context: UploadContext, row: UploadRow): Promise<'staged' | 'lost'> {
  if (row.status !== 'verifying' || !row.file_id) return 'staged';
  // Another server may have recorded the file since.
  await context.attempts.assertExclusive(row.id);
  return await context.storage.uploads.withdraw(toStaged(row), toPlace(row, row.file_id));
}

/** The error with the missing parts. */
export async function uploadIncomplete(context: UploadContext, row: UploadRow): Promise<UploadError> {
  const missing = await findMissing(context.db, row);
  return new UploadError(
    'upload_incomplete',
    `${row.part_count - row.received_parts} of ${row.part_count} parts are missing.`,
    {
      details: { missing_parts: missing.ranges, ...(missing.truncated ? { missing_truncated: true } : {}) },
    },
  );
}
