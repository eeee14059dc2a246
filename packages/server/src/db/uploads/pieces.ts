/** Rows of pieces: acknowledged bytes of an appended upload that are not a whole part yet. */
import { OPEN_STATES } from '@cryolift/protocol/states';
import { type Database, type Guard, transact } from '../database.ts';
import type { PieceRow, UploadRow } from '../tables.ts';

/** How many rows one statement deletes. */
const BATCH = 500;

/** The pieces from `fromOffset` on, ascending. */
export async function listPieces(db: Database, uploadId: string, fromOffset = 0): Promise<PieceRow[]> {
  return await db
    .selectFrom('pieces')
    .selectAll()
    .where('upload_id', '=', uploadId)
    .where('offset', '>=', fromOffset)
    .orderBy('offset')
    .execute();
}

/** The number of bytes from `fromOffset` on that pieces have without a gap. @param pieces ascending. */
export function countPieceBytes(pieces: readonly PieceRow[], fromOffset: number): number {
  let end = fromOffset;
  for (const { offset, length } of pieces) {
    if (offset > end) break;
    if (offset >= fromOffset) end = Math.max(end, offset + length);
  }
  return end - fromOffset;
}

/**
 * Records a piece, in the place of pieces that begin in it, and lets the upload live on.
 *
 * @param changes of the upload. @param guard throws when the transaction must not be committed.
 * @returns the upload after that; undefined when it takes no more bytes.
 */
export async function commitPiece(
  db: Database,
  piece: PieceRow,
  changes: Partial<UploadRow>,
  guard: Guard,
): Promise<UploadRow | undefined> {
  return await transact(db, async (tx) => {
    await guard(tx);
    const row = await tx
      .updateTable('uploads')
      .set({ ...changes, status: 'uploading' })
      .where('id', '=', piece.upload_id)
      .where('status', 'in', OPEN_STATES)
      .returningAll()
      .executeTakeFirst();
    if (row) await put(tx, piece);
    return row;
  });
}

/** Records one piece in the place of those that it is made of. */
export async function replacePieces(db: Database, piece: PieceRow): Promise<void> {
  await transact(db, async (tx) => await put(tx, piece));
}

async function put(tx: Database, piece: PieceRow): Promise<void> {
  await tx
    .deleteFrom('pieces')
    .where('upload_id', '=', piece.upload_id)
    .where('offset', '>=', piece.offset)
    .where('offset', '<', piece.offset + piece.length)
    .execute();
  await tx.insertInto('pieces').values(piece).execute();
}

export async function deletePieces(
  db: Database,
  uploadId: string,
  pieces: readonly Pick<PieceRow, 'offset'>[],
): Promise<void> {
  const offsets = pieces.map(({ offset }) => offset);
  for (let at = 0; at < offsets.length; at += BATCH) {
    const batch = offsets.slice(at, at + BATCH);
    await db.deleteFrom('pieces').where('upload_id', '=', uploadId).where('offset', 'in', batch).execute();
  }
}

export async function deleteAllPieces(db: Database, uploadId: string): Promise<void> {
  await db.deleteFrom('pieces').where('upload_id', '=', uploadId).execute();
}
