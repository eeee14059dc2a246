/** Completing an upload: verify the whole, publish without copying, record the file. */
import { createHash } from 'node:crypto';
import { fromHex, toHex } from '@cryolift/protocol/digest';
import { UploadError } from '@cryolift/protocol/errors';
import { partExtent } from '@cryolift/protocol/plan';
import type { Database } from '../db/database.ts';
import { findFile } from '../db/files.ts';
import { insertJob } from '../db/jobs.ts';
import { findMissing, listParts } from '../db/parts.ts';
import { findSession, listVerifying, recordPublished } from '../db/sessions.ts';
import type { FileRow, UploadRow } from '../db/tables.ts';
import { contentTypeOf } from '../files/content-type.ts';
import { BytesGone } from '../parts/store.ts';
import { failUpload } from './end.ts';
import { findUpload } from './find.ts';
import { timeStage } from './meter.ts';
import { moveUpload, noteMoved, stateTeller } from './move.ts';
import type { Reach, UploadRoom } from './room.ts';
import { toPlace, toStaged } from './session.ts';
import { firstOf } from './waiting.ts';

/** How long a request waits for the whole-file digest (CONTRACT: complete). */
const WAIT_MS = 20_000;

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
  const declared = judgeDeclared(row, sha256Hex);
  if (row.status === 'pending' || row.status === 'uploading') {
    if (row.received_parts < row.part_count) throw await uploadIncomplete(room, row);
    const changes = { file_id: room.newId(), sha256: declared };
    // Undefined: another request was first, or it was cancelled meanwhile.
    row = (await moveUpload(room, id, 'complete', changes)) ?? (await findUpload(room, reach, id));
  }
  switch (row.status) {
    case 'completed':
      return { kind: 'completed', file: await findPublished(room, row) };
    case 'verifying': {
      const file = await firstOf(room.finishing.run(room, row, requestId), WAIT_MS);
      return file === 'late' ? { kind: 'verifying', row } : { kind: 'completed', file };
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

/** Finishes every upload that was being verified when the server stopped. */
export async function resumeVerifying(room: UploadRoom): Promise<void> {
  for (const row of await listVerifying(room.db)) {
    if (row.must_recheck) continue;
    await room.finishing.run(room, row, 'restart').catch((error: unknown) => {
      room.log.error({ upload_id: row.id, err: error }, 'upload not completed');
    });
  }
}

/** Verifications under way: one per upload, however many requests wait for it. */
export class Finishing {
  readonly #running = new Map<string, Promise<FileRow>>();

  async run(room: UploadRoom, row: UploadRow, requestId: string): Promise<FileRow> {
    let running = this.#running.get(row.id);
    if (!running) {
      running = finish(room, row, requestId).finally(() => this.#running.delete(row.id));
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

async function finish(room: UploadRoom, asked: UploadRow, requestId: string): Promise<FileRow> {
  // Whoever asked may have read the row before another request finished it.
  const row = await findSession(room.db, asked.id);
  if (row?.status === 'completed') return await findPublished(room, row);
  if (row?.status !== 'verifying')
    throw new UploadError('upload_closed', 'This upload is not being verified any more.');
  const place = toPlace(row, row.file_id as string);
  const partsSha256 = await digestParts(room, row);
  await room.attempts.endAll(row.id);
  const sha256 = await timeStage(room.meter, 'verify', () => room.store.digestWhole(toStaged(row), place)).catch(
    (error) => takeBack(room, row, error),
  );
  if (row.sha256 && Buffer.compare(row.sha256, sha256) !== 0) {
    const error = new UploadError('file_checksum_mismatch', 'The stored bytes do not have the declared SHA-256.', {
      details: { expected_sha256: toHex(row.sha256), received_sha256: toHex(sha256) },
    });
    room.meter.noteVerifyFailures('file', 1);
    await failUpload(room, row, error, requestId);
    throw error;
  }
  await timeStage(room.meter, 'publish', () => room.store.publish(toStaged(row), place)).catch((error) =>
    takeBack(room, row, error),
  );
  const file: FileRow = {
    id: place.fileId,
    upload_id: row.id,
    owner: row.owner,
    filename: row.filename,
    size: row.size,
    sha256,
    parts_sha256: partsSha256,
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
    // The disk failed meanwhile and the parts were taken back: these bytes are not to be trusted.
    await room.store.removeFile(file.id);
    throw new UploadError(
      'storage_unavailable',
      'The storage failed to keep the parts of this upload; send what is missing.',
    );
  }
  noteMoved(room, row);
  room.nextSteps.wake();
  room.arrivals.forget(row.id);
  room.log.info({ upload_id: row.id, file_id: file.id, size: file.size }, 'file published');
  return file;
}

/** A file that is published has its jobs, whatever happens to the server next. */
async function insertJobs(room: UploadRoom, tx: Database, file: FileRow): Promise<void> {
  for (const kind of room.nextSteps.kindsFor(file.filename)) {
    await insertJob(tx, { id: room.newId(), kind, fileId: file.id, nowMs: file.created_at });
  }
}

/** When the bytes are gone, their parts are asked for again; the session must not stay in verification for good. */
async function takeBack(room: UploadRoom, row: UploadRow, error: unknown): Promise<never> {
  if (error instanceof BytesGone) await room.rechecks.run(room, row);
  throw error;
}

/** SHA-256 over the part digests in order, from rows that are counted and added up: nothing else is ever published. */
async function digestParts(room: UploadRoom, row: UploadRow): Promise<Uint8Array> {
  const hash = createHash('sha256');
  const parts = await listParts(room.db, row.id, 0, row.part_count + 1);
  let sizeBytes = 0;
  for (const [at, part] of parts.entries()) {
    if (part.idx !== at) throw new Error(`upload ${row.id} has no row of part ${at}`);
    sizeBytes += partExtent(row.size, row.part_size, part.idx).length;
    hash.update(part.sha256);
  }
  if (parts.length !== row.part_count || sizeBytes !== row.size) {
    throw new Error(`upload ${row.id} has ${parts.length} parts and ${sizeBytes} bytes`);
  }
  return hash.digest();
}

function judgeDeclared(row: UploadRow, sha256Hex: string | undefined): Uint8Array | null {
  const declared = sha256Hex === undefined ? null : fromHex(sha256Hex);
  if (declared && row.sha256 && Buffer.compare(declared, row.sha256) !== 0) {
    throw new UploadError('invalid_request', 'sha256 differs from the one declared before.', {
      hint: 'Repeat complete without sha256 to verify against the one declared first, or cancel and start anew.',
      details: { declared_sha256: toHex(row.sha256) },
    });
  }
  return declared ?? row.sha256;
}

async function uploadIncomplete(room: UploadRoom, row: UploadRow): Promise<UploadError> {
  const missing = await findMissing(room.db, row);
  return new UploadError(
    'upload_incomplete',
    `${row.part_count - row.received_parts} of ${row.part_count} parts are missing.`,
    {
      details: { missing_parts: missing.ranges, ...(missing.truncated ? { missing_truncated: true } : {}) },
    },
  );
}

async function findPublished(room: UploadRoom, row: UploadRow): Promise<FileRow> {
  const file = await findFile(room.db, row.file_id as string);
  if (!file) throw new UploadError('file_not_found', 'The file of this upload has been deleted.');
  return file;
}
