/** Opens the next segment of an append. */
import type { UploadRow } from '../../db/tables.ts';
import { findPart } from '../../db/uploads/parts.ts';
import { BytesGone } from '../../storage/errors.ts';
import type { UploadContext } from '../context.ts';
import { assertSpace } from '../parts/part-start.ts';
import { ensureStaged } from '../staging.ts';
import { toStaged } from '../upload-record.ts';
import { Segment } from './segment.ts';
import { type SegmentPlan, stagedWithPieces } from './segments.ts';
import { StoredSegment } from './stored-segment.ts';

export type OpenSegment = Pick<Segment, 'isAborted' | 'missingBytes' | 'write' | 'end' | 'abort'>;

interface SegmentOptions {
  /** Of the upload, before the segment. */
  readonly hasBytes: boolean;
  /** A checksum covers the body. */
  readonly isChecked: boolean;
  readonly requestId: string;
}

/** @throws BytesGone when the upload has no place; UploadError `insufficient_storage`, and those of the storage. */
export async function openSegment(
  context: UploadContext,
  row: UploadRow,
  plan: SegmentPlan,
  { hasBytes, isChecked, requestId }: SegmentOptions,
): Promise<{ segment: OpenSegment; row: UploadRow }> {
  const part = row.is_partial ? undefined : await findPart(context.db, row.id, plan.idx);
  // Behind a part that the storage has lost: the client sends all from there again.
  if (part) return { segment: new StoredSegment(context, row, plan, part), row };
  await assertSpace(context, plan);
  const attempt = await context.attempts.beginWithin(row.id, plan.idx);
  try {
    const placed = row.is_partial ? row : await ensureStaged(context, row);
    const staged = hasBytes ? stagedWithPieces(placed) : toStaged(placed);
    const { uploads, pieces } = context.storage;
    const sink = plan.isPart ? await uploads.openSink(staged, plan, null) : await pieces.open(staged, plan);
    if (sink === 'lost') throw new BytesGone('The place of this upload is not in the storage.');
    return { segment: new Segment(context, placed, plan, { attempt, sink, isChecked, requestId }), row: placed };
  } catch (error) {
    attempt.release();
    throw error;
  }
}
