/** Completing an upload, and finishing completions that were interrupted. */

import { fromHex, toHex } from '@cryolift/protocol/digest';
import { UploadError } from '@cryolift/protocol/errors';
import type { UploadRecord } from '@cryolift/protocol/messages';
import { OPEN_STATES } from '@cryolift/protocol/states';
import type { FileRow, UploadRow } from '../db/tables.ts';
import { findUploadRow, listVerifying } from '../db/uploads/uploads.ts';
import { betweenSteps } from '../durable-step.ts';
import { type StoredFile, toStoredFile } from '../files/stored-file.ts';
import { firstOf } from '../timeout.ts';
import { finishPart } from './append/last-part.ts';
import type { AccessScope, UploadContext } from './context.ts';
import { recordUnconfirmed } from './direct/unconfirmed.ts';
import { failUpload, isOverdue } from './ending.ts';
import { finalize } from './finalization.ts';
import { findUpload } from './lookup.ts';
import { uploadClosed } from './parts/part-request.ts';
import { findPublished } from './publication.ts';
import { moveSeenUpload } from './transitions.ts';
import { toUpload } from './upload-record.ts';
import { uploadIncomplete } from './verification/invalidation.ts';

/** How long a request waits for the whole-file digest (page 7: `complete`). */
const WAIT_MS = 20_000;
/** A sender that asks for the digest of a published file comes again after this time, while there is none. */
const DIGEST_SECONDS = 5;
/** A verification that failed in this number of rounds is not repeated. */
const STUCK_AFTER = 3;

export type Completion = { kind: 'completed'; file: StoredFile } | { kind: 'verifying'; upload: UploadRecord };

/**
 * Completes an upload; safe to repeat and to call twice at once.
 *
 * @param sha256Hex the whole file's digest when it was not declared at init.
 * @throws UploadError `upload_incomplete`, `upload_closed`, `upload_expired`, `file_checksum_mismatch`, and the errors
 *   of the storage.
 */
export async function completeUpload(
  context: UploadContext,
  access: AccessScope,
  id: string,
  sha256Hex: string | undefined,
  requestId: string,
): Promise<Completion> {
  let row = await findUpload(context, access, id);
  if (row.is_trial) {
    throw new UploadError('invalid_request', 'A trial upload cannot be completed: cancel it.');
  }
  if (row.is_partial) {
    throw new UploadError('invalid_request', 'This upload is a part of a concatenation, which completes the file.');
  }
  if (row.is_growing) {
    throw new UploadError('invalid_request', 'The length of this upload is not known: send it with the last bytes.');
  }
  context.doubtful.assertNone(id);
  const declared = sha256Hex === undefined ? null : fromHex(sha256Hex);
  validateDeclared(row, declared);
  if (OPEN_STATES.includes(row.status)) {
    if (row.received_parts < row.part_count) row = await recordUnconfirmed(context, row);
    if (row.received_parts < row.part_count && row.door !== null) row = await finishLastPart(context, row, requestId);
    if (row.received_parts < row.part_count) throw await uploadIncomplete(context, row);
    const fileId = context.storage.uploads.fileIdOf(id) ?? context.newId();
    const changes = { file_id: fileId, ...(declared ? { sha256: declared } : {}) };
    // Undefined: another request was first, or it was cancelled meanwhile, or another digest was declared.
    row = (await moveSeenUpload(context, row, 'complete', changes)) ?? (await findUpload(context, access, id));
    validateDeclared(row, declared);
  }
  switch (row.status) {
    case 'completed':
      return { kind: 'completed', file: toStoredFile(assertSame(await findPublished(context, row), declared)) };
    case 'verifying': {
      betweenSteps('upload.verifying');
      const file = await firstOf(finalize(context, row, requestId), WAIT_MS);
      if (file === 'late') return { kind: 'verifying', upload: await toUpload(context.db, row) };
      return { kind: 'completed', file: toStoredFile(assertSame(file, declared)) };
    }
    case 'expired':
      throw uploadClosed(row);
    case 'failed':
    case 'cancelled':
      throw new UploadError('upload_closed', `This upload is ${row.status}.`, {
        details: { status: row.status, failure: row.failure && (JSON.parse(row.failure) as object) },
      });
    default:
      throw await uploadIncomplete(context, row);
  }
}

/** A server may have been killed between the last byte and the record of its part. */
async function finishLastPart(context: UploadContext, row: UploadRow, requestId: string): Promise<UploadRow> {
  await finishPart(context, row, requestId);
  return (await findUploadRow(context.db, row.id)) ?? row;
}

/**
 * Finishes every upload that is being verified, also without a request; ends those that fail repeatedly. After `signal`
 * none is started.
 */
export async function resumeVerifying(context: UploadContext, signal?: AbortSignal): Promise<void> {
  const verifying = await listVerifying(context.db);
  const { failedRounds } = context;
  for (const id of failedRounds.keys()) if (!verifying.some((row) => row.id === id)) failedRounds.delete(id);
  for (const row of verifying) {
    if (signal?.aborted) return;
    try {
      await resume(context, row);
      failedRounds.delete(row.id);
    } catch (error) {
      context.log.error({ upload_id: row.id, err: error }, 'upload not completed');
      const inARow = (failedRounds.get(row.id) ?? 0) + 1;
      failedRounds.set(row.id, inARow);
      if (inARow >= STUCK_AFTER) await endStuck(context, row.id);
    }
  }
}

async function resume(context: UploadContext, row: UploadRow): Promise<void> {
  if (row.must_recheck) throw new Error('its parts could not be verified again');
  await finalize(context, row, 'sweep');
}

/** An expired upload that cannot be verified fails. Its stored bytes expire later. */
async function endStuck(context: UploadContext, id: string): Promise<void> {
  await context.attempts.exclude(id, async () => {
    const row = await findUploadRow(context.db, id);
    if (row?.status !== 'verifying' || !isOverdue(context, row)) return;
    const message = 'The stored bytes of this upload could not be verified before it expired.';
    const guard = context.attempts.guardExclusive(id);
    await failUpload(context, row, new UploadError('upload_expired', message), 'sweep', guard);
    context.log.error({ upload_id: id }, 'an upload whose verification failed repeatedly was ended');
  });
}

/** @throws UploadError `invalid_request` when another digest was declared before. */
function validateDeclared(row: UploadRow, declared: Uint8Array | null): void {
  if (declared && row.sha256 && Buffer.compare(declared, row.sha256) !== 0) {
    throw new UploadError('invalid_request', 'sha256 differs from the one declared before.', {
      hint: 'Repeat complete without sha256 to verify against the digest declared first, or cancel and start again.',
      details: { declared_sha256: toHex(row.sha256) },
    });
  }
}

/**
 * The file may have been verified for another request, which declared no digest.
 *
 * @throws UploadError `file_checksum_mismatch`; `overloaded` while the digest of the file is not known.
 */
function assertSame(file: FileRow, declared: Uint8Array | null): FileRow {
  if (!declared) return file;
  if (file.sha256 === null) {
    throw new UploadError('overloaded', 'The file is published, and its SHA-256 is being computed.', {
      retryAfterSeconds: DIGEST_SECONDS,
    });
  }
  if (Buffer.compare(declared, file.sha256) === 0) return file;
  throw new UploadError('file_checksum_mismatch', 'The published file does not have the declared SHA-256.', {
    details: { expected_sha256: toHex(declared), received_sha256: toHex(file.sha256), file_id: file.id },
  });
}
