/**
 * Parts whose pieces are all there, and that are not recorded: the last one of an upload whose length was declared after
 * its bytes had come, and one whose last piece a server recorded before it was killed.
 */
import type { UploadRow } from '../../db/tables.ts';
import { findPart } from '../../db/uploads/parts.ts';
import { countPieceBytes, listPieces } from '../../db/uploads/pieces.ts';
import type { UploadContext } from '../context.ts';
import { ensureStaged } from '../staging.ts';
import { joinPieces } from './join.ts';
import { extentOfPart } from './segments.ts';

/** Records the last part when its pieces are all there. */
export async function finishPart(context: UploadContext, row: UploadRow, requestId: string): Promise<void> {
  if (!row.is_growing) await finish(context, row, row.part_count - 1, requestId);
}

/**
 * Records the part that ends at `offset`, if it is not. Without it, the bytes behind it would not count once they are a
 * part themselves. The caller has the append of the upload.
 *
 * @param offset of the upload, bytes. @returns whether it was recorded now, so that the row of the upload changed.
 */
export async function finishPartBefore(
  context: UploadContext,
  row: UploadRow,
  offset: number,
  requestId: string,
): Promise<boolean> {
  const isEnd = !row.is_growing && offset === row.size;
  if (offset % row.part_size !== 0 && !isEnd) return false;
  return await finish(context, row, Math.ceil(offset / row.part_size) - 1, requestId);
}

async function finish(context: UploadContext, row: UploadRow, idx: number, requestId: string): Promise<boolean> {
  if (row.is_partial || idx < 0 || (await findPart(context.db, row.id, idx))) return false;
  const { offset, length } = extentOfPart(row, idx);
  if (countPieceBytes(await listPieces(context.db, row.id, offset), offset) < length) return false;
  const attempt = await context.attempts.beginWithin(row.id, idx);
  try {
    await joinPieces(context, await ensureStaged(context, row), idx, attempt, requestId);
    return true;
  } finally {
    attempt.release();
  }
}
