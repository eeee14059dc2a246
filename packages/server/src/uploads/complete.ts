/** Completing an upload: verify the whole, publish without copying, record the file. */
import { createHash } from 'node:crypto';
import { fromHex, toHex } from '@cryolift/protocol/digest';
import { UploadError } from '@cryolift/protocol/errors';
import type { Database } from '../db/database.ts';
import { findFile } from '../db/files.ts';
import { insertJob } from '../db/jobs.ts';
import { listParts } from '../db/parts.ts';
import { findSession, listVerifying, recordPublished } from '../db/sessions.ts';
import type { FileRow, PartRow, UploadRow } from '../db/tables.ts';
import { contentTypeOf } from '../files/content-type.ts';
import { failUpload, isOverdue } from './end.ts';
import { findUpload } from './find.ts';
import { distrustParts, uploadIncomplete } from './invalidate.ts';
import { timeStage } from './meter.ts';
import { moveUpload, noteMoved, stateTeller } from './move.ts';
import type { Reach, UploadRoom } from './room.ts';
import { toPlace, toStaged } from './session.ts';
import { isWhole, reopen, reopenIfGone, verifyStored } from './verify.ts';
import { firstOf } from './waiting.ts';

/** How long a request waits for the whole-file digest (CONTRACT: complete). */
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
  room: UploadRoom,
  reach: Reach,
  id: string,
  sha256Hex: string | undefined,
  requestId: string,
): Promise<Completion> {
  let row = await findUpload(room, reach, id);
  if (row.is_trial) {
    throw new UploadError('invalid_request', 'This upload was begun as a trial, which becomes no file: cancel it.');
  }
  room.doubts.assertNone(id);
  const declared = sha256Hex === undefined ? null : fromHex(sha256Hex);
  judgeDeclared(row, declared);
  if (row.status === 'pending' || row.status === 'uploading') {
    if (row.received_parts < row.part_count) throw await uploadIncomplete(room, row);
    const changes = { file_id: room.newId(), ...(declared ? { sha256: declared } : {}) };
    // Undefined: another request was first, or it was cancelled meanwhile, or another digest was declared.
    row = (await moveUpload(room, id, 'complete', changes)) ?? (await findUpload(room, reach, id));
    judgeDeclared(row, declared);
  }
  switch (row.status) {
    case 'completed':
      return { kind: 'completed', file: assertSame(await findPublished(room, row), declared) };
    case 'verifying': {
      const file = await firstOf(room.finishing.run(room, row, requestId), WAIT_MS);
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
      throw await uploadIncomplete(room, row);
  }
}

/** Finishes every upload that is being verified, also when nobody asks; ends those that are stuck. After `signal` none is begun. */
export async function resumeVerifying(room: UploadRoom, signal?: AbortSignal): Promise<void> {
  const failures = new Map<string, number>();
  for (const row of await listVerifying(room.db)) {
    if (signal?.aborted) return;
    await resume(room, row).catch(async (error: unknown) => {
      room.log.error({ upload_id: row.id, err: error }, 'upload not completed');
      const inARow = (room.finishing.failures.get(row.id) ?? 0) + 1;
      failures.set(row.id, inARow);
      if (inARow >= STUCK_AFTER) await endStuck(room, row.id);
    });
  }
  room.finishing.failures = failures;
}

async function resume(room: UploadRoom, row: UploadRow): Promise<void> {
  if (row.must_recheck) throw new Error('its parts could not be verified again');
  await room.finishing.run(room, row, 'sweep');
}

/** An upload that has no time left and cannot be verified is not kept for good. What is stored of it expires later. */
async function endStuck(room: UploadRoom, id: string): Promise<void> {
  await room.attempts.exclude(id, async () => {
    const row = await findSession(room.db, id);
    if (row?.status !== 'verifying' || !isOverdue(room, row)) return;
    const message = 'The stored bytes of this upload could not be verified before its time was over.';
    await failUpload(room, row, new UploadError('upload_expired', message), 'sweep');
    room.log.error({ upload_id: id }, 'an upload that was stuck in verification has been ended');
  });
}

/** Verifications under way: one per upload, however many requests wait for it. */
export class Finishing {
  readonly #running = new Map<string, Promise<FileRow>>();
  /** In how many rounds in a row the verification of an upload has failed. */
  failures: ReadonlyMap<string, number> = new Map();

  async run(room: UploadRoom, row: UploadRow, requestId: string): Promise<FileRow> {
    let running = this.#running.get(row.id);
    if (!running) {
      running = room.attempts
        .exclude(row.id, () => finish(room, row, requestId))
        .finally(() => this.#running.delete(row.id));
      // Nobody may be waiting any more when it ends.
      running.catch((error: unknown) => {
        if (!(error instanceof UploadError)) room.log.error({ upload_id: row.id, err: error }, 'upload not completed');
      });
      this.#running.set(row.id, running);
    }
    return await running;
  }

  /** Resolves when none is under way. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#running.values());
  }
}

/** The caller has the stored bytes for itself (`Attempts.exclude`). */
async function finish(room: UploadRoom, asked: UploadRow, requestId: string): Promise<FileRow> {
  // Whoever asked may have read the row before another request finished it.
  const row = await findSession(room.db, asked.id);
  if (row?.status === 'completed') return await findPublished(room, row);
  if (row?.status !== 'verifying')
    throw new UploadError('upload_closed', 'This upload is not being verified any more.');
  room.doubts.assertNone(row.id);
  const place = toPlace(row, row.file_id as string);
  const parts = await listParts(room.db, row.id, 0, row.part_count + 1);
  if (!isWhole(row, parts)) {
    room.log.error({ upload_id: row.id, parts: parts.length }, 'an upload that was to be completed lacks parts');
    throw await reopen(room, row);
  }
  // Nobody has written one, and there is nothing that could be lost with it.
  if (row.part_count === 0) await room.store.create(toStaged(row));
  const differs = (digest: Uint8Array) => row.sha256 !== null && Buffer.compare(row.sha256, digest) !== 0;
  let sha256 = await verifyStored(room, row, place, parts);
  if (differs(sha256)) {
    // Before the sender is blamed, every part is compared with its row.
    distrustParts(room, row.id);
    sha256 = await verifyStored(room, row, place, parts);
  }
  if (row.sha256 && differs(sha256)) {
    const error = new UploadError('file_checksum_mismatch', 'The stored bytes do not have the declared SHA-256.', {
      details: { expected_sha256: toHex(row.sha256), received_sha256: toHex(sha256) },
    });
    room.meter.noteVerifyFailures('file', 1);
    await failUpload(room, row, error, requestId);
    throw error;
  }
  await timeStage(room.meter, 'publish', () => room.store.publish(toStaged(row), place)).catch((error) =>
    reopenIfGone(room, row, error),
  );
  // A flush that failed until now; there is none after it.
  room.doubts.assertNone(row.id);
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
    created_at: room.now(),
    deleted_at: null,
  };
  const tell = stateTeller(room);
  const published = await recordPublished(room.db, file, async (tx, moved) => {
    await tell(tx, moved);
    await insertJobs(room, tx, file);
  });
  if (!published) {
    const now = await findSession(room.db, row.id);
    if (now?.status === 'completed') return await findPublished(room, now);
    // Nothing has a record of these bytes.
    await room.store.removeFile(file.id);
    throw new UploadError('upload_closed', 'This upload has ended while it was being published.');
  }
  noteMoved(room, row);
  room.nextSteps.wake();
  room.arrivals.forget(row.id);
  room.verified.forget(row.id);
  room.log.info({ upload_id: row.id, file_id: file.id, size: file.size }, 'file published');
  return file;
}

/** A file that is published has its jobs, whatever happens to the server next. */
async function insertJobs(room: UploadRoom, tx: Database, file: FileRow): Promise<void> {
  for (const kind of room.nextSteps.kindsFor(file.filename)) {
    await insertJob(tx, { id: room.newId(), kind, fileId: file.id, owner: file.owner, nowMs: file.created_at });
  }
}

/** SHA-256 over the part digests in order. */
function digestParts(parts: PartRow[]): Uint8Array {
  const hash = createHash('sha256');
  for (const { sha256 } of parts) hash.update(sha256);
  return hash.digest();
}

/** @throws UploadError `invalid_request` when another digest was declared before. */
function judgeDeclared(row: UploadRow, declared: Uint8Array | null): void {
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

async function findPublished(room: UploadRoom, row: UploadRow): Promise<FileRow> {
  const file = await findFile(room.db, row.file_id as string);
  if (!file) throw new UploadError('file_not_found', 'The file of this upload has been deleted.');
  return file;
}
