/** Pieces of appended uploads: whether what is stored is what was acknowledged. */
import type { PieceRow, UploadRow } from '../../db/tables.ts';
import { deleteAllPieces, deletePieces, listPieces } from '../../db/uploads/pieces.ts';
import { BytesGone } from '../../storage/errors.ts';
import type { UploadContext } from '../context.ts';
import { toStaged } from '../upload-record.ts';

/**
 * Compares every piece with what is stored, and forgets those that differ: the client sends their bytes again. The caller
 * has exclusive use of the stored bytes.
 */
export async function verifyPieces(context: UploadContext, row: UploadRow): Promise<void> {
  const lost: PieceRow[] = [];
  for (const piece of await listPieces(context.db, row.id)) {
    if (!(await isStored(context, row, piece))) lost.push(piece);
  }
  await deletePieces(context.db, row.id, lost);
  if (lost.length === 0) return;
  context.meter.noteVerifyFailures('stored_part', lost.length);
  context.log.warn({ upload_id: row.id, lost_pieces: lost.length }, 'pieces of an upload are not stored');
}

/** @throws UploadError when that cannot be found out now. */
export async function isStored(context: UploadContext, row: UploadRow, piece: PieceRow): Promise<boolean> {
  try {
    const sha256 = await context.storage.pieces.hash(toStaged(row), piece);
    return Buffer.compare(sha256, piece.sha256) === 0;
  } catch (error) {
    if (error instanceof BytesGone) return false;
    throw error;
  }
}

/** Frees all pieces, and forgets them. Safe to repeat. */
export async function forgetPieces(context: UploadContext, uploadId: string): Promise<void> {
  await deleteAllPieces(context.db, uploadId);
  await context.storage.pieces
    .discard(uploadId)
    // The sweep frees them.
    .catch((error: unknown) => context.log.warn({ upload_id: uploadId, err: error }, 'pieces were not freed'));
}
