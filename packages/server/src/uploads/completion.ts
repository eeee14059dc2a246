/** Completing an upload: verify the whole, publish without copying, record the file. */
import { createHash } from 'node:crypto';
import { fromHex, toHex } from '@cryolift/protocol/digest';
import { UploadError } from '@cryolift/protocol/errors';
import type { Database } from '../db/database.ts';
import { findFile } from '../db/files.ts';
import { insertJob } from '../db/jobs.ts';
import { listParts } from '../db/parts.ts';
import { findUploadRow, listVerifying, recordPublished } from '../db/sessions.ts';
import type { FileRow, PartRow, UploadRow } from '../db/tables.ts';
import { contentTypeOf } from '../files/content-type.ts';
import { firstOf } from '../timeout.ts';
import type { AccessScope, UploadContext } from './context.ts';
import { failUpload, isOverdue } from './ending.ts';
import { distrustParts, uploadIncomplete } from './invalidation.ts';
import { findUpload } from './lookup.ts';
import { timeStage } from './meter.ts';
import { isWhole, reopen, reopenIfGone, verifyStored } from './stored-bytes.ts';
import { emitUpload, moveUpload } from './transitions.ts';
import { toPlace, toStaged } from './upload-record.ts';

/** How long a request waits for the whole-file digest (page 7: `complete`). */
const WAIT_MS = 20_000;
/** A verification that failed in so many rounds is stuck. */
const STUCK_AFTER = 3;

export type Completion = { kind: 'completed'; file: FileRow } | { kind: 'verifying'; row: UploadRow };

/**
 * Completes an upload; safe to repeat and to call twice at once.
 *
 * @param sha256Hex the whole file's digest when it was not declared at init.
 * @throws UploadError `upload_incomplete`, `upload_closed`, `upload_expired`, `file_checksum_mismatch`, and what the
 *   storage says.
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
    throw new UploadError('invalid_request', 'This upload was begun as a trial, which becomes no file: cancel it.');
  }
  context.doubtful.assertNone(id);
  const declared = sha256Hex === undefined ? null : fromHex(sha256Hex);
  validateDeclared(row, declared);
  if (row.status === 'pending' || row.status === 'uploading') {
    if (row.received_parts < row.part_count) throw await uploadIncomplete(context, row);
    const changes = { file_id: context.newId(), ...(declared ? { sha256: declared } : {}) };
    // Undefined: another request was first, or it was cancelled meanwhile, or another digest was declared.
    row = (await moveUpload(context, id, 'complete', changes)) ?? (await findUpload(context, access, id));
    validateDeclared(row, declared);
  }
  switch (row.status) {
    case 'completed':
      return { kind: 'completed', file: assertSame(await findPublished(context, row), declared) };
    case 'verifying': {
      const file = await firstOf(finalize(context, row, requestId), WAIT_MS);
      return file === 'late' ? { kind: 'verifying', row } : { kind: 'completed', file: assertSame(file, declared) };
    }
    case 'expired':
      throw new UploadError('upload_expired', 'This upload expired; its parts are gone.');
    case 'failed':
    case 'cancelled':
      throw new UploadError('upload_closed', `This upload is ${row.status}.`, {
        details: { status: row.status, failure: row.failure && (JSON.parse(row.failure) as object) },
      });
    default:
      throw await uploadIncomplete(context, row);
  }
}

/** Finishes every upload that is being verified, also when nobody asks; ends those that are stuck. After `signal` none is begun. */
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

/** An upload that has no time left and cannot be verified is not kept for good. What is stored of it expires later. */
async function endStuck(context: UploadContext, id: string): Promise<void> {
  await context.attempts.exclude(id, async () => {
    const row = await findUploadRow(context.db, id);
    if (row?.status !== 'verifying' || !isOverdue(context, row)) return;
    const message = 'The stored bytes of this upload could not be verified before its time was over.';
    await failUpload(context, row, new UploadError('upload_expired', message), 'sweep');
    context.log.error({ upload_id: id }, 'an upload that was stuck in verification has been ended');
  });
}

/** Verifies and publishes an upload that is `verifying`; joins a run under way. */
export async function finalize(context: UploadContext, row: UploadRow, requestId: string): Promise<FileRow> {
  return await context.completions.run(row.id, async () => {
    try {
      return await context.attempts.exclude(row.id, () => finish(context, row, requestId));
    } catch (error) {
      // Nobody may be waiting any more when it ends.
      if (!(error instanceof UploadError)) context.log.error({ upload_id: row.id, err: error }, 'upload not completed');
      throw error;
    }
  });
}

/** The caller has the stored bytes for itself (`PartAttempts.exclude`). */
async function finish(context: UploadContext, asked: UploadRow, requestId: string): Promise<FileRow> {
  // Whoever asked may have read the row before another request finished it.
  const row = await findUploadRow(context.db, asked.id);
  if (row?.status === 'completed') return await findPublished(context, row);
  if (row?.status !== 'verifying')
    throw new UploadError('upload_closed', 'This upload is not being verified any more.');
  context.doubtful.assertNone(row.id);
  const place = toPlace(row, row.file_id as string);
  const parts = await listParts(context.db, row.id, 0, row.part_count + 1);
  if (!isWhole(row, parts)) {
    context.log.error({ upload_id: row.id, parts: parts.length }, 'an upload that was to be completed lacks parts');
    throw await reopen(context, row);
  }
  // Nobody has written one, and there is nothing that could be lost with it.
  if (row.part_count === 0) await context.store.create(toStaged(row));
  const differs = (digest: Uint8Array) => row.sha256 !== null && Buffer.compare(row.sha256, digest) !== 0;
  let sha256 = await verifyStored(context, row, place, parts);
  if (differs(sha256)) {
    // Before the sender is blamed, every part is compared with its row.
    distrustParts(context, row.id);
    sha256 = await verifyStored(context, row, place, parts);
  }
  if (row.sha256 && differs(sha256)) {
    const error = new UploadError('file_checksum_mismatch', 'The stored bytes do not have the declared SHA-256.', {
      details: { expected_sha256: toHex(row.sha256), received_sha256: toHex(sha256) },
    });
    context.meter.noteVerifyFailures('file', 1);
    await failUpload(context, row, error, requestId);
    throw error;
  }
  await timeStage(context.meter, 'publish', () => context.store.publish(toStaged(row), place)).catch((error) =>
    reopenIfGone(context, row, error),
  );
  // A flush that failed until now; there is none after it.
  context.doubtful.assertNone(row.id);
  const file: FileRow = {
    id: place.fileId,
    upload_id: row.id,
    owner: row.owner,
    filename: row.filename,
    size: row.size,
    sha256,
    parts_sha256: digestParts(parts),
    part_size: row.part_size,
    part_count: row.part_count,
    content_type: contentTypeOf(row.filename),
    metadata: row.metadata,
    mrc: row.mrc,
    warnings: row.warnings,
    statistics: null,
    created_at: context.now(),
    deleted_at: null,
  };
  const published = await context.outbox.transact(async (tx, emit) => {
    const moved = await recordPublished(tx, file);
    if (!moved) return false;
    await emitUpload(tx, emit, moved);
    await insertJobs(context, tx, file);
    return true;
  });
  if (!published) {
    const now = await findUploadRow(context.db, row.id);
    if (now?.status === 'completed') return await findPublished(context, now);
    // Nothing has a record of these bytes.
    await context.store.removeFile(file.id);
    throw new UploadError('upload_closed', 'This upload has ended while it was being published.');
  }
  context.fileJobs.wake();
  context.prefixes.forget(row.id);
  context.verified.forget(row.id);
  context.log.info({ upload_id: row.id, file_id: file.id, size: file.size }, 'file published');
  return file;
}

/** A file that is published has its jobs, whatever happens to the server next. */
async function insertJobs(context: UploadContext, tx: Database, file: FileRow): Promise<void> {
  for (const kind of context.fileJobs.kindsFor(file.filename)) {
    await insertJob(tx, { id: context.newId(), kind, fileId: file.id, owner: file.owner, nowMs: file.created_at });
  }
}

/** SHA-256 over the part digests in order. */
function digestParts(parts: PartRow[]): Uint8Array {
  const hash = createHash('sha256');
  for (const { sha256 } of parts) hash.update(sha256);
  return hash.digest();
}

/** @throws UploadError `invalid_request` when another digest was declared before. */
function validateDeclared(row: UploadRow, declared: Uint8Array | null): void {
  if (declared && row.sha256 && Buffer.compare(declared, row.sha256) !== 0) {
    throw new UploadError('invalid_request', 'sha256 differs from the one declared before.', {
      hint: 'Repeat complete without sha256 to verify against the one declared first, or cancel and start anew.',
      details: { declared_sha256: toHex(row.sha256) },
    });
  }
}

/** The file may have been verified for another request, which declared no digest. @throws UploadError `file_checksum_mismatch`. */
function assertSame(file: FileRow, declared: Uint8Array | null): FileRow {
  if (!declared || Buffer.compare(declared, file.sha256) === 0) return file;
  throw new UploadError('file_checksum_mismatch', 'The published file does not have the declared SHA-256.', {
    details: { expected_sha256: toHex(declared), received_sha256: toHex(file.sha256), file_id: file.id },
  });
}

async function findPublished(context: UploadContext, row: UploadRow): Promise<FileRow> {
  const file = await findFile(context.db, row.file_id as string);
  if (!file) throw new UploadError('file_not_found', 'The file of this upload has been deleted.');
  return file;
}
