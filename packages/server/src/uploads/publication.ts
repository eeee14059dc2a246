/** The record of a file whose bytes are in their place. */
import { UploadError } from '@cryolift/protocol/errors';
import { OPEN_STATES } from '@cryolift/protocol/states';
import type { Guard } from '../db/database.ts';
import { fileInserts, findFile } from '../db/files.ts';
import { insertJob, jobInsert, type NewJob } from '../db/jobs.ts';
import type { FileRow, UploadRow } from '../db/tables.ts';
import { LIVE_STATES } from '../db/uploads/parts.ts';
import { forgetSigned } from '../db/uploads/signed-parts.ts';
import { findUploadRow, moveSeenRow, recordPublished } from '../db/uploads/uploads.ts';
import { betweenSteps } from '../durable-step.ts';
import { DIGEST_JOB } from '../files/late-digest.ts';
import { removeStored } from '../storage/removal.ts';
import type { UploadContext } from './context.ts';
import { publishedEvents } from './transitions.ts';
import { uploadIncomplete } from './verification/invalidation.ts';

/**
 * Records the file, which makes it visible, and completes its upload.
 *
 * @param condition throws when the file must not be recorded.
 * @throws UploadError when the upload has ended meanwhile: its bytes are removed then.
 */
export async function record(
  context: UploadContext,
  row: UploadRow,
  file: FileRow,
  condition: Guard | null = null,
): Promise<FileRow> {
  const isRecorded =
    (condition === null && (await recordSeen(context, row, file))) || (await recordNow(context, row, file, condition));
  if (!isRecorded) {
    const now = await findUploadRow(context.db, row.id);
    if (now?.status === 'completed') return await findPublished(context, now);
    // These bytes have no record, and get none. Those of an upload that accepts parts again may.
    if (!now || !LIVE_STATES.includes(now.status)) await removeStored(context.storage, file.id);
    throw await explainEnd(context, now);
  }
  betweenSteps('upload.recorded');
  if (context.storage.presigner) {
    await forgetSigned(context.db, row.id).catch((error: unknown) =>
      context.log.warn({ upload_id: row.id, err: error }, 'signed parts stay until the upload is forgotten'),
    );
  }
  context.fileJobs.wake();
  context.prefixes.forget(row.id);
  context.verified.forget(row.id);
  context.log.info({ upload_id: row.id, file_id: file.id, size: file.size }, 'file published');
  return file;
}

/** @returns false when the row has changed since, or other servers use the database. */
async function recordSeen(context: UploadContext, row: UploadRow, file: FileRow): Promise<boolean> {
  const { db, outbox } = context;
  const moved = moveSeenRow(db, row, 'published', file.created_at);
  const jobs = jobsOf(context, file).map((job) => jobInsert(db, job).compile());
  const inserts = [...fileInserts(db, file), ...jobs].map((write) => ({ write }));
  return await outbox.commit([moved.step, ...inserts], () => publishedEvents(db, moved.row, file));
}

/** @returns false when the upload is not `verifying` any more. */
async function recordNow(
  context: UploadContext,
  row: UploadRow,
  file: FileRow,
  condition: Guard | null,
): Promise<boolean> {
  const guard = context.attempts.guardExclusive(row.id);
  return await context.outbox.transact(async (tx, emit) => {
    await guard(tx);
    await condition?.(tx);
    const moved = await recordPublished(tx, file);
    if (!moved) return false;
    for (const event of await publishedEvents(tx, moved, file)) await emit(event);
    for (const job of jobsOf(context, file)) await insertJob(tx, job);
    return true;
  });
}

/** The jobs are inserted in the transaction of the publish, so that a crash cannot lose them. */
function jobsOf(context: UploadContext, file: FileRow): NewJob[] {
  const late = file.sha256 === null ? [DIGEST_JOB] : [];
  const { id: fileId, owner, created_at: nowMs } = file;
  return [...late, ...context.fileJobs.kindsFor(file.filename)].map((kind) => ({
    id: context.newId(),
    kind,
    fileId,
    owner,
    nowMs,
  }));
}

/** @throws UploadError `file_not_found` when it was deleted meanwhile. */
export async function findPublished(context: UploadContext, row: UploadRow): Promise<FileRow> {
  const file = await findFile(context.db, row.file_id as string);
  if (!file) throw new UploadError('file_not_found', 'The file of this upload has been deleted.');
  return file;
}

/** Of an upload that is neither verified any more nor completed: its bytes may have been lost meanwhile. */
export async function explainEnd(context: UploadContext, row: UploadRow | undefined): Promise<UploadError> {
  if (row && OPEN_STATES.includes(row.status)) return await uploadIncomplete(context, row);
  return new UploadError('upload_closed', 'This upload has ended while it was being verified.');
}
