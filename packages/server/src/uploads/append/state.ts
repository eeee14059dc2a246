/** How far an appended upload is. */
import type { UploadRecord } from '@cryolift/protocol/messages';
import { partExtent } from '@cryolift/protocol/plan';
import { OPEN_STATES, type UploadState } from '@cryolift/protocol/states';
import type { AppendProtocol } from '../../append-protocol.ts';
import type { UploadRow } from '../../db/tables.ts';
import { findAppend } from '../../db/uploads/appends.ts';
import { findMissing } from '../../db/uploads/parts.ts';
import { countPieceBytes, listPieces } from '../../db/uploads/pieces.ts';
import type { Extent } from '../../storage/places.ts';
import type { AccessScope, UploadContext } from '../context.ts';
import { findUpload, uploadNotFound } from '../lookup.ts';
import { toFailure } from '../upload-record.ts';

/** In the place of the index of a part: the append to an upload that is under way. */
export const APPEND = -1;

export interface AppendState {
  readonly uploadId: string;
  readonly status: UploadState;
  readonly protocol: AppendProtocol;
  /** Acknowledged bytes without a gap. */
  readonly offset: number;
  /** Bytes; null: not known. */
  readonly lengthBytes: number | null;
  readonly partSizeBytes: number;
  readonly isPartial: boolean;
  /** Ids of the uploads that are concatenated; null: none. */
  readonly sources: readonly string[] | null;
  /** Of a partial upload: the concatenation that takes its bytes; null: none yet. */
  readonly finalId: string | null;
  /** Upload-Concat of a concatenation as it was sent; null: none. */
  readonly concat: string | null;
  /** Upload-Metadata as it was sent; null: none. */
  readonly rawMetadata: string | null;
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number;
  /** All ranges that are acknowledged, ascending. */
  readonly received: readonly Extent[];
  readonly fileId: string | null;
  readonly failure: UploadRecord['failure'];
}

/**
 * @param endRunning first ends the append that is under way, whose bytes are kept: the offset is exact then.
 * @throws UploadError as `findUpload` does; `upload_not_found` also for an upload that nothing is appended to.
 */
export async function readAppendState(
  context: UploadContext,
  access: AccessScope,
  id: string,
  { endRunning }: { endRunning: boolean },
): Promise<AppendState> {
  const before = await findAppended(context, access, id);
  if (!endRunning || !OPEN_STATES.includes(before.status)) return await stateOf(context, before);
  (await context.attempts.begin(id, APPEND)).release();
  return await stateOf(context, await findAppended(context, access, id));
}

/** The row of an upload that a protocol appends to. @throws UploadError as `findUpload` does. */
export async function findAppended(context: UploadContext, access: AccessScope, id: string): Promise<UploadRow> {
  const row = await findUpload(context, access, id);
  if (row.door === null) throw uploadNotFound(id);
  return row;
}

export async function stateOf(context: UploadContext, row: UploadRow): Promise<AppendState> {
  const append = await findAppend(context.db, row.id);
  const received = await listReceived(context, row);
  const [first] = received;
  return {
    uploadId: row.id,
    status: row.status,
    protocol: row.door as AppendProtocol,
    offset: first?.offset === 0 ? first.length : 0,
    lengthBytes: row.is_growing ? null : row.size,
    partSizeBytes: row.part_size,
    isPartial: row.is_partial === 1,
    sources: append?.sources ? (JSON.parse(append.sources) as string[]) : null,
    finalId: row.final_id,
    concat: append?.concat ?? null,
    rawMetadata: append?.raw_metadata ?? null,
    expiresAtMs: row.expires_at,
    received,
    fileId: row.status === 'completed' ? row.file_id : null,
    failure: toFailure(row),
  };
}

/** Acknowledged bytes without a gap. */
export async function offsetOf(context: UploadContext, row: UploadRow): Promise<number> {
  const [first] = await listReceived(context, row);
  return first?.offset === 0 ? first.length : 0;
}

/** The ranges of parts, each with the pieces behind it. */
async function listReceived(context: UploadContext, row: UploadRow): Promise<Extent[]> {
  const { ranges } = await findMissing(context.db, row);
  // Parts that are missing have no others.
  const [[firstMissing = 0] = []] = ranges;
  const pieces = ranges.length === 0 ? [] : await listPieces(context.db, row.id, firstMissing * row.part_size);
  const received: Extent[] = [];
  let next = 0;
  const add = (end: number) => {
    if (end > next) received.push({ offset: next, length: end - next });
  };
  for (const [first, last] of ranges) {
    const start = Math.min(first * row.part_size, row.size);
    add(start + countPieceBytes(pieces, start));
    const { offset, length } = partExtent(row.size, row.part_size, last);
    next = Math.max(0, offset + length);
  }
  if (ranges.length === 0 || next < row.size) add(row.size);
  return received;
}
