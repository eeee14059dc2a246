/**
 * Re-verification of stored parts: after the operating system went down, for what was recorded may not have reached the
 * disk, and when stored bytes are found missing. Each recorded part is compared with what is stored; what does not match its
 * row is invalidated and asked for again.
 */
import { UploadError } from '@cryolift/protocol/errors';
import type { UploadRow } from '../../db/tables.ts';
import { LIVE_STATES, listParts } from '../../db/uploads/parts.ts';
import { findUploadRow } from '../../db/uploads/uploads.ts';
import { firstOf } from '../../timeout.ts';
import type { UploadContext } from '../context.ts';
import { renewStaged } from '../staging.ts';
import { toStaged } from '../upload-record.ts';
import { distrustParts, invalidateParts, withdraw } from './invalidation.ts';
import { verifyPieces } from './stored-pieces.ts';

/** How long a request waits for a re-verification before it answers `overloaded`. */
const WAIT_MS = 20_000;

/**
 * The upload's row once its parts are verified. @throws UploadError `overloaded` when that takes longer than a request
 * waits.
 */
export async function waitForReverification(context: UploadContext, row: UploadRow): Promise<UploadRow> {
  if ((await firstOf(reverify(context, row), WAIT_MS)) === 'late') {
    throw new UploadError(
      'overloaded',
      'The server was restarted after a crash of its system and is verifying the stored parts of this upload.',
      { retryAfterSeconds: 5 },
    );
  }
  return (await findUploadRow(context.db, row.id)) as UploadRow;
}

/** Verifies every recorded part of an upload; joins a running one. The caller must not hold an attempt. */
export async function reverify(context: UploadContext, { id }: UploadRow): Promise<void> {
  await context.reverifications.run(id, () =>
    context.attempts.exclude(id, async () => void (await verifyAgain(context, id))),
  );
}

/**
 * Verifies every recorded part against the bytes that are stored, invalidates those that differ, and restores the
 * staging file. The caller has exclusive use of the stored bytes (`PartAttempts.exclude`).
 *
 * @returns the row after that, or undefined when there is none.
 */
export async function verifyAgain(context: UploadContext, uploadId: string): Promise<UploadRow | undefined> {
  const row = await findUploadRow(context.db, uploadId);
  if (!row || !LIVE_STATES.includes(row.status)) return row;
  distrustParts(context, uploadId);
  const left = await withdraw(context, row);
  const parts = await listParts(context.db, uploadId, 0, row.part_count);
  const lost =
    left === 'lost' ? parts.map(({ idx }) => idx) : await context.storage.uploads.findLost(toStaged(row), parts);
  if (row.door) await verifyPieces(context, row);
  const now = await invalidateParts(context, row, lost);
  context.log.warn(
    { upload_id: uploadId, verified_parts: parts.length, lost_parts: lost.length },
    'parts verified again',
  );
  return now && (await renewStaged(context, now));
}
