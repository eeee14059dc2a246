/** Publishes a copy: the bytes of a published file, as another file. Safe to repeat after a crash. */
import { UploadError } from '@cryolift/protocol/errors';
import type { Database, Guard } from '../db/database.ts';
import { findFile } from '../db/files.ts';
import type { FileRow, UploadRow } from '../db/tables.ts';
import { findUploadRow } from '../db/uploads/uploads.ts';
import { betweenSteps } from '../durable-step.ts';
import { contentTypeOf } from '../files/content-type.ts';
import { fileNotFound } from '../files/files.ts';
import { toFilePlace, toStoredPlace } from '../files/record.ts';
import type { UploadContext } from './context.ts';
import { failUpload } from './ending.ts';
import { timeStage } from './parts/meter.ts';
import { explainEnd, findPublished, record } from './publication.ts';
import { toStaged } from './upload-record.ts';
import { removeAssembled } from './verification/assembled-bytes.ts';
import { checkStoredTiff } from './verification/stored-tiff.ts';

/**
 * The caller has exclusive use of the stored bytes (`PartAttempts.exclude`). A copy that cannot be made fails at once:
 * its client sends the bytes instead, and there must not be a second file later.
 */
export async function finishCopy(context: UploadContext, asked: UploadRow, requestId: string): Promise<FileRow> {
  // Another request may have finished it since the row was read.
  const row = await findUploadRow(context.db, asked.id);
  if (row?.status === 'completed') return await findPublished(context, row);
  if (row?.status !== 'verifying') throw await explainEnd(context, row);
  try {
    return await publishCopy(context, row, requestId);
  } catch (error) {
    if (!(error instanceof UploadError)) throw error;
    if (await failUpload(context, row, error, requestId, context.attempts.guardExclusive(row.id))) {
      betweenSteps('upload.failed');
      await removeAssembled(context, row, {
        fileId: row.file_id as string,
        filename: row.filename,
        sizeBytes: row.size,
      });
    }
    throw error;
  }
}

async function publishCopy(context: UploadContext, row: UploadRow, requestId: string): Promise<FileRow> {
  const source = await findSource(context.db, row);
  const file = toCopy(context, row, source);
  const place = toFilePlace(file);
  await context.attempts.assertExclusive(row.id);
  await timeStage(context.meter, 'publish', () =>
    context.storage.uploads.publishCopy(
      toStaged(row),
      toStoredPlace(source),
      toStoredPlace(file),
      storedDigest(source),
    ),
  );
  betweenSteps('copy.published');
  const structure = await checkStoredTiff(context, row, place, requestId);
  // The scrub may have read the source meanwhile.
  const guard: Guard = async (tx) => void (await findSource(tx, row));
  return await record(context, row, { ...file, ...structure }, guard);
}

/** @throws UploadError `file_not_found`, or `file_damaged` when a scrub has found that its bytes are not what they were. */
async function findSource(db: Database, row: UploadRow): Promise<FileRow> {
  const source = await findFile(db, row.copied_from as string);
  if (!source) throw fileNotFound(row.copied_from as string);
  if (source.fault !== null) throw fileDamaged(source.fault);
  return source;
}

export function fileDamaged(fault: NonNullable<FileRow['fault']>): UploadError {
  return new UploadError('file_damaged', `The scrub has found that the bytes of this file are ${fault}.`, {
    details: { fault },
  });
}

/** Of the bytes that the storage has. */
function storedDigest({ compressed_sha256, sha256 }: FileRow): Uint8Array {
  return compressed_sha256 ?? (sha256 as Uint8Array);
}

/** What the storage needs to find the bytes by is that of the source. */
function toCopy(context: UploadContext, row: UploadRow, source: FileRow): FileRow {
  return {
    ...source,
    id: row.file_id as string,
    upload_id: row.id,
    owner: row.owner,
    filename: row.filename,
    content_type: contentTypeOf(row.filename),
    metadata: row.metadata,
    mrc: row.mrc,
    warnings: row.warnings,
    statistics: null,
    tiff: null,
    mdoc: null,
    mdoc_image: null,
    link_id: null,
    instrument: row.instrument,
    dataset_id: row.dataset_id,
    copied_from: source.id,
    created_at: context.now(),
    deleted_at: null,
  };
}
