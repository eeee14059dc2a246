/** Makes one piece of many: a client may send a few bytes at a time. */
import type { PieceRow, UploadRow } from '../../db/tables.ts';
import { listPieces, replacePieces } from '../../db/uploads/pieces.ts';
import { betweenSteps } from '../../durable-step.ts';
import { BytesGone } from '../../storage/errors.ts';
import type { UploadContext } from '../context.ts';
import { isStored } from '../verification/stored-pieces.ts';
import { stagedWithPieces } from './segments.ts';

/** Pieces of one part, before they are merged. */
const MAX_PIECES = 64;

/**
 * Merges the pieces of the part at `offset`, when there are many. The caller has the append of the upload.
 *
 * @throws BytesGone when one of them is not stored as it was acknowledged.
 */
export async function mergePieces(context: UploadContext, row: UploadRow, offset: number): Promise<void> {
  const start = Math.floor(offset / row.part_size) * row.part_size;
  if (start === offset) return;
  const pieces = (await listPieces(context.db, row.id, start)).filter((piece) => piece.offset < offset);
  if (pieces.length < MAX_PIECES) return;
  const { maxBytes } = context.storage.pieces;
  for (const group of groupsOf(pieces, maxBytes ?? row.part_size)) await merge(context, row, group);
}

/** Neighbours that fit into one piece. */
function groupsOf(pieces: readonly PieceRow[], maxBytes: number): PieceRow[][] {
  const groups: PieceRow[][] = [];
  let bytes = 0;
  for (const piece of pieces) {
    const group = groups.at(-1);
    if (group && bytes + piece.length <= maxBytes) group.push(piece);
    else {
      groups.push([piece]);
      bytes = 0;
    }
    bytes += piece.length;
  }
  return groups.filter(({ length }) => length > 1);
}

async function merge(context: UploadContext, row: UploadRow, group: readonly PieceRow[]): Promise<void> {
  const { pieces } = context.storage;
  const staged = stagedWithPieces(row);
  for (const piece of group) {
    if (!(await isStored(context, row, piece))) throw new BytesGone('The storage lost some bytes of this upload.');
  }
  const [first] = group as [PieceRow];
  const length = group.reduce((sum, piece) => sum + piece.length, 0);
  const extent = { offset: first.offset, length };
  if (pieces.maxBytes === null) {
    const { receipt } = first;
    const isSame = group.every((piece) => piece.receipt === receipt);
    const sha256 = await pieces.hash(staged, { ...extent, receipt });
    const merged = { upload_id: row.id, ...extent, sha256, receipt: isSame ? receipt : null };
    await replacePieces(context.db, merged);
    betweenSteps('append.pieces-merged');
    return;
  }
  const sink = await pieces.open(staged, extent);
  if (sink === 'lost') throw new BytesGone('The place of this upload is not in the storage.');
  for (const piece of group) for await (const bytes of pieces.read(staged, piece)) await sink.write(bytes);
  const { sha256, receipt } = await sink.commit();
  await replacePieces(context.db, { upload_id: row.id, ...extent, sha256, receipt });
  betweenSteps('append.pieces-merged');
  await pieces.remove(staged, group);
}
