/** Answers for parts that are stored. */
import { toHex } from '@cryolift/protocol/digest';
import { UploadError } from '@cryolift/protocol/errors';
import type { PartReceipt } from '@cryolift/protocol/messages';
import { OPEN_STATES } from '@cryolift/protocol/states';
import type { PartRow, UploadRow } from '../../db/tables.ts';
import { findPart } from '../../db/uploads/parts.ts';
import { findUploadRow } from '../../db/uploads/uploads.ts';
import type { UploadContext } from '../context.ts';
import { uploadNotFound } from '../lookup.ts';
import { progressOf } from '../upload-record.ts';
import { type PartRequest, uploadClosed } from './part-request.ts';

/** The part that a receipt is about. */
export type ReceiptOf = Pick<PartRequest, 'uploadId' | 'idx' | 'lengthBytes'>;

/** @throws UploadError `part_conflict` when the stored part has another digest. */
export async function compareStored(
  context: UploadContext,
  request: ReceiptOf,
  part: PartRow,
  sha256: Uint8Array,
): Promise<PartReceipt> {
  if (Buffer.compare(sha256, part.sha256) !== 0) {
    throw new UploadError('part_conflict', `Part ${part.idx} is stored with other bytes.`, {
      details: { part: part.idx, stored_sha256: toHex(part.sha256), sent_sha256: toHex(sha256) },
    });
  }
  const row = await findUploadRow(context.db, request.uploadId);
  if (!row) throw uploadNotFound(request.uploadId);
  context.doubtful.assertNone(row.id);
  return toReceipt(row, request, part.sha256, true);
}

/**
 * The answer for an attempt that was aborted. When a newer attempt took its place, the outcome of the newer one is the
 * answer.
 *
 * @throws UploadError `part_conflict`, `upload_closed`, `upload_expired`, `overloaded`.
 */
export async function answerSuperseded(
  context: UploadContext,
  row: UploadRow,
  request: PartRequest,
): Promise<PartReceipt> {
  for (;;) {
    const newer = await context.attempts.current(row.id, request.idx);
    const part = await findPart(context.db, row.id, request.idx);
    if (part && request.sha256) return await compareStored(context, request, part, request.sha256);
    if (part) throw new UploadError('part_conflict', `Part ${part.idx} was stored by a newer request for it.`);
    if (!newer) {
      const now = await findUploadRow(context.db, row.id);
      if (now && !OPEN_STATES.includes(now.status)) throw uploadClosed(now);
      throw new UploadError('overloaded', 'A newer request for this part replaced this one and did not finish.', {
        retryAfterSeconds: 1,
      });
    }
    await newer.released;
  }
}

export function toReceipt(row: UploadRow, request: ReceiptOf, sha256: Uint8Array, deduplicated: boolean): PartReceipt {
  return {
    upload_id: row.id,
    part: request.idx,
    size: request.lengthBytes,
    sha256: toHex(sha256),
    deduplicated,
    received_parts: row.received_parts,
    received_bytes: row.received_bytes,
    progress: progressOf(row),
    status: row.status,
  };
}
