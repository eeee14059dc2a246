/**
 * Publishes an upload after all its parts are stored: assemble, digest, publish, walk through a TIFF file, record. After a crash in between, the
 * next start repeats this; each step is safe to repeat.
 */

import { createHash } from 'node:crypto';
import { toHex } from '@cryolift/protocol/digest';
import { UploadError } from '@cryolift/protocol/errors';
import type { FileRow, PartRow, UploadRow } from '../db/tables.ts';
import { listParts } from '../db/uploads/parts.ts';
import { findUploadRow } from '../db/uploads/uploads.ts';
import { betweenSteps } from '../durable-step.ts';
import { contentTypeOf } from '../files/content-type.ts';
import type { FilePlace } from '../storage/places.ts';
import type { UploadContext } from './context.ts';
import { finishCopy } from './copied-file.ts';
import { failUpload } from './ending.ts';
import { timeStage } from './parts/meter.ts';
import { explainEnd, findPublished, record } from './publication.ts';
import { toPlace, toStaged } from './upload-record.ts';
import { removeAssembled } from './verification/assembled-bytes.ts';
import { checkAssembledHeader } from './verification/assembled-header.ts';
import { distrustParts } from './verification/invalidation.ts';
import { isWhole, reopen, reopenIfGone, verifyStored } from './verification/stored-bytes.ts';
import { checkStoredTiff } from './verification/stored-tiff.ts';

/** Verifies and publishes an upload that is `verifying`; joins a running one. */
export async function finalize(context: UploadContext, row: UploadRow, requestId: string): Promise<FileRow> {
  const run = row.copied_from === null ? finish : finishCopy;
  return await context.completions.run(row.id, async () => {
    try {
      return await context.attempts.exclude(row.id, () => run(context, row, requestId));
    } catch (error) {
      // No caller may be waiting when it ends.
      if (!(error instanceof UploadError)) context.log.error({ upload_id: row.id, err: error }, 'upload not completed');
      throw error;
    }
  });
}

/** The caller has exclusive use of the stored bytes (`PartAttempts.exclude`). */
async function finish(context: UploadContext, asked: UploadRow, requestId: string): Promise<FileRow> {
  // Another request may have finished it since the row was read.
  let row = await findUploadRow(context.db, asked.id);
  if (row?.status === 'completed') return await findPublished(context, row);
  if (row?.status !== 'verifying') throw await explainEnd(context, row);
  context.doubtful.assertNone(row.id);
  const place = toPlace(row, row.file_id as string);
  const parts = await listParts(context.db, row.id, 0, row.part_count + 1);
  if (!isWhole(row, parts)) {
    context.log.error({ upload_id: row.id, parts: parts.length }, 'an upload in completion lacks parts');
    throw await reopen(context, row);
  }
  await context.attempts.assertExclusive(row.id);
  await assemble(context, row, place, parts);
  betweenSteps('upload.assembled');
  row = await checkAssembledHeader(context, row, place, requestId);
  // Nobody waits for a digest that nothing is to be compared with, where it costs a reading of the whole.
  const isLate = row.sha256 === null && row.part_count > 0 && context.storage.lateDigests !== null;
  const sha256 = isLate ? null : await digest(context, row, place, parts, requestId);
  betweenSteps('upload.digested');
  await publish(context, row, place);
  betweenSteps('upload.published');
  const structure = await checkStoredTiff(context, row, place, requestId);
  return await record(context, row, { ...toFileRow(context, row, place, parts, sha256), ...structure });
}

async function assemble(context: UploadContext, row: UploadRow, place: FilePlace, parts: PartRow[]): Promise<void> {
  const { uploads } = context.storage;
  const staged = toStaged(row);
  try {
    // An empty file has no parts that could be lost.
    if (row.part_count === 0) await uploads.create(staged);
    await uploads.assemble(staged, place, parts);
  } catch (error) {
    await reopenIfGone(context, row, error);
  }
}

/** @returns the SHA-256 of the file. @throws UploadError `file_checksum_mismatch` when another one was declared. */
async function digest(
  context: UploadContext,
  row: UploadRow,
  place: FilePlace,
  parts: PartRow[],
  requestId: string,
): Promise<Uint8Array> {
  const differs = (sha256: Uint8Array) => row.sha256 !== null && Buffer.compare(row.sha256, sha256) !== 0;
  let sha256 = await verifyStored(context, row, place, parts);
  if (differs(sha256)) {
    // Every part is compared with its row first, because the storage may be at fault.
    distrustParts(context, row.id);
    sha256 = await verifyStored(context, row, place, parts);
  }
  if (!row.sha256 || !differs(sha256)) return sha256;
  const error = new UploadError('file_checksum_mismatch', 'The stored bytes do not have the declared SHA-256.', {
    details: { expected_sha256: toHex(row.sha256), received_sha256: toHex(sha256) },
  });
  context.meter.noteVerifyFailures('file', 1);
  // A failed upload does not get a record any more, at any server: the object that was made of the parts can go.
  if (await failUpload(context, row, error, requestId, context.attempts.guardExclusive(row.id))) {
    betweenSteps('upload.failed');
    await removeAssembled(context, row, place);
  }
  throw error;
}

async function publish(context: UploadContext, row: UploadRow, place: FilePlace): Promise<void> {
  await context.attempts.assertExclusive(row.id);
  await timeStage(context.meter, 'publish', () => context.storage.uploads.publish(toStaged(row), place)).catch(
    (error) => reopenIfGone(context, row, error),
  );
  // A flush that failed before; no flush follows.
  context.doubtful.assertNone(row.id);
}

function toFileRow(
  context: UploadContext,
  row: UploadRow,
  place: FilePlace,
  parts: PartRow[],
  sha256: Uint8Array | null,
): FileRow {
  return {
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
    tiff: null,
    mdoc: null,
    mdoc_image: null,
    link_id: row.link_id,
    instrument: row.instrument,
    dataset_id: row.dataset_id,
    copied_from: null,
    compressed_size: null,
    compressed_sha256: null,
    fault: null,
    created_at: context.now(),
    deleted_at: null,
  };
}

/** SHA-256 over the part digests in order. */
function digestParts(parts: PartRow[]): Uint8Array {
  const hash = createHash('sha256');
  for (const { sha256 } of parts) hash.update(sha256);
  return hash.digest();
}
