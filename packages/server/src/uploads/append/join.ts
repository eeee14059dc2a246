/** Makes a part of its pieces. */
import { createHash } from 'node:crypto';
import type { PieceRow, UploadRow } from '../../db/tables.ts';
import { deletePieces, listPieces } from '../../db/uploads/pieces.ts';
import { betweenSteps } from '../../durable-step.ts';
import { BytesGone } from '../../storage/errors.ts';
import type { Extent, StagedUpload } from '../../storage/places.ts';
import type { CommittedPart } from '../../storage/upload-storage.ts';
import type { UploadContext } from '../context.ts';
import type { HeaderVerdict } from '../parts/header-check.ts';
import type { Attempt } from '../parts/part-attempts.ts';
import { recordPart } from '../parts/part-record.ts';
import { isStored } from '../verification/stored-pieces.ts';
import { HeaderReader, validateHeader } from './header.ts';
import { leaseLost } from './refusals.ts';
import { extentOfPart, stagedWithPieces } from './segments.ts';

/**
 * Records part `idx`, all of whose bytes are in pieces. Each piece is compared with what was acknowledged.
 *
 * @param attempt at the part. @throws BytesGone when a piece is not stored as it was: it is forgotten.
 */
export async function joinPieces(
  context: UploadContext,
  row: UploadRow,
  idx: number,
  attempt: Attempt,
  requestId: string,
): Promise<void> {
  const extent = extentOfPart(row, idx);
  const pieces = (await listPieces(context.db, row.id, extent.offset)).filter(
    ({ offset }) => offset < extent.offset + extent.length,
  );
  const staged = stagedWithPieces(row);
  const header = await readHeader(context, row, staged, idx, pieces, requestId);
  const stored =
    context.storage.pieces.maxBytes === null
      ? await hashInPlace(context, row, staged, extent, pieces)
      : await copyPieces(context, row, staged, extent, pieces);
  const part = { uploadId: row.id, idx, lengthBytes: extent.length };
  const receipt = await recordPart(context, row, part, { ...stored, isHashed: true, lease: attempt.lease }, header);
  if (receipt === 'lease_lost') throw leaseLost();
  context.meter.notePart({ bytes: extent.length, deduplicated: false });
  betweenSteps('append.part-joined');
  await deletePieces(context.db, row.id, pieces);
  betweenSteps('append.pieces-forgotten');
  await context.storage.pieces.remove(staged, pieces);
}

async function hashInPlace(
  context: UploadContext,
  row: UploadRow,
  staged: StagedUpload,
  extent: Extent,
  pieces: readonly PieceRow[],
): Promise<CommittedPart> {
  for (const piece of pieces) if (!(await isStored(context, row, piece))) throw await forget(context, row, piece);
  const receipts = new Set(pieces.map(({ receipt }) => receipt));
  const [receipt = null] = receipts.size === 1 ? receipts : [null];
  return { sha256: await context.storage.pieces.hash(staged, { ...extent, receipt }), receipt };
}

async function copyPieces(
  context: UploadContext,
  row: UploadRow,
  staged: StagedUpload,
  extent: Extent,
  pieces: readonly PieceRow[],
): Promise<CommittedPart> {
  const { storage } = context;
  const sink = await storage.uploads.openSink(staged, extent, null);
  if (sink === 'lost') throw new BytesGone('The place of this upload is not in the storage.');
  try {
    for (const piece of pieces) {
      const hash = createHash('sha256');
      for await (const bytes of storage.pieces.read(staged, piece)) {
        hash.update(bytes);
        await sink.write(bytes);
      }
      if (Buffer.compare(hash.digest(), piece.sha256) !== 0) throw await forget(context, row, piece);
    }
    return await sink.commit();
  } catch (error) {
    await sink.abort();
    throw error;
  }
}

/** The client sends its bytes, and those behind it, again. */
async function forget(context: UploadContext, row: UploadRow, piece: PieceRow): Promise<BytesGone> {
  await deletePieces(context.db, row.id, [piece]);
  context.meter.noteVerifyFailures('stored_part', 1);
  context.log.error({ upload_id: row.id, offset: piece.offset }, 'a piece is not stored as it was acknowledged');
  return new BytesGone('The storage lost some bytes of this upload; ask for its offset and send them again.');
}

/** Of a file whose first pieces were too short for its header. */
async function readHeader(
  context: UploadContext,
  row: UploadRow,
  staged: StagedUpload,
  idx: number,
  pieces: readonly PieceRow[],
  requestId: string,
): Promise<HeaderVerdict | null> {
  const reader = idx === 0 && row.mrc === null ? HeaderReader.for(row) : null;
  if (!reader) return null;
  for (const piece of pieces) {
    if (reader.isComplete) break;
    for await (const bytes of context.storage.pieces.read(staged, piece)) {
      reader.write(bytes);
      if (reader.isComplete) break;
    }
  }
  return await validateHeader(context, row, reader.bytes, requestId);
}
