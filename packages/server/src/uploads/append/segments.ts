/** How the bytes of an append are divided: a segment is all or some of one part. */
import { partExtent } from '@cryolift/protocol/plan';
import type { UploadRow } from '../../db/tables.ts';
import type { PieceStorage } from '../../storage/pieces.ts';
import type { Extent, StagedUpload } from '../../storage/places.ts';
import { toStaged } from '../upload-record.ts';

export interface SegmentPlan extends Extent {
  readonly idx: number;
  /** True: when all of its bytes arrive it is a part, and otherwise a piece, if the storage can keep that. */
  readonly isPart: boolean;
}

/** The part with this index, as far as the length of the upload is known. */
export function extentOfPart(row: UploadRow, idx: number): Extent {
  if (!row.is_growing) return partExtent(row.size, row.part_size, idx);
  return { offset: idx * row.part_size, length: row.part_size };
}

/**
 * The next segment of a body.
 *
 * @param offset in the upload, bytes. @param bodyBytes what the body still has, bytes; null: not known.
 * @param isCautious the last append ended before a byte was kept: less is at risk when this one ends, too.
 */
export function planSegment(
  row: UploadRow,
  { maxBytes }: Pick<PieceStorage, 'maxBytes'>,
  offset: number,
  bodyBytes: number | null,
  isCautious: boolean,
): SegmentPlan {
  const idx = Math.floor(offset / row.part_size);
  const part = extentOfPart(row, idx);
  const end = part.offset + part.length;
  const isFromStart = offset === part.offset && row.is_partial === 0;
  if (maxBytes === null) return { idx, offset, length: end - offset, isPart: isFromStart };
  const isWhole = bodyBytes !== null && bodyBytes >= part.length;
  if (isFromStart && isWhole && !isCautious) return { idx, offset, length: part.length, isPart: true };
  return { idx, offset, length: Math.min(end - offset, maxBytes), isPart: false };
}

/** An upload whose staged bytes may be pieces alone, so that missing ones are a loss. */
export function stagedWithPieces(row: UploadRow): StagedUpload {
  return { ...toStaged(row), empty: false };
}
