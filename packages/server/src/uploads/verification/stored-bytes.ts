/** The stored bytes of an upload in completion: the whole-file digest, and the handling of lost bytes. */
import { UploadError } from '@cryolift/protocol/errors';
import { partExtent } from '@cryolift/protocol/plan';
import type { PartRow, UploadRow } from '../../db/tables.ts';
import { BytesGone } from '../../storage/errors.ts';
import type { FilePlace } from '../../storage/places.ts';
import type { UploadContext } from '../context.ts';
import { timeStage } from '../parts/meter.ts';
import { toStaged } from '../upload-record.ts';
import { invalidateParts, uploadIncomplete, withdraw } from './invalidation.ts';
import { verifyAgain } from './reverification.ts';

/**
 * The whole-file digest. The same pass compares every part that this process has not verified with its row.
 *
 * @throws UploadError `upload_incomplete` when some differ: they are invalidated.
 */
export async function verifyStored(
  context: UploadContext,
  row: UploadRow,
  place: FilePlace,
  parts: PartRow[],
): Promise<Uint8Array> {
  const others = context.verified.selectOthers(row, () => true);
  const digest = await timeStage(context.meter, 'verify', () =>
    context.storage.uploads.digest(toStaged(row), place, others),
  ).catch((error) => reopenIfGone(context, row, error));
  const lost: number[] = [];
  for (const { idx, sha256 } of parts) {
    const stored = digest.parts.get(idx);
    if (stored && Buffer.compare(stored, sha256) === 0) context.verified.note(row, idx);
    else if (stored || !context.verified.has(row.id, idx)) lost.push(idx);
  }
  if (lost.length === 0) return digest.sha256;
  const left = await withdraw(context, row);
  const now = left === 'lost' ? await verifyAgain(context, row.id) : await invalidateParts(context, row, lost);
  context.log.error(
    { upload_id: row.id, lost_parts: lost.length },
    'stored bytes are not those that were acknowledged',
  );
  throw await uploadIncomplete(context, now ?? row);
}

/** @returns the error to throw instead of `error`, which was caused by reading or publishing the stored bytes. */
export async function reopenIfGone(context: UploadContext, row: UploadRow, error: unknown): Promise<never> {
  throw error instanceof BytesGone ? await reopen(context, row) : error;
}

/** Some stored bytes are missing: the rest is verified, and missing parts are invalidated. */
export async function reopen(context: UploadContext, row: UploadRow): Promise<UploadError> {
  const now = await verifyAgain(context, row.id);
  if (now && now.received_parts < now.part_count) return await uploadIncomplete(context, now);
  return new UploadError('storage_unavailable', 'The stored bytes of this upload were moved; they are verified again.');
}

/** Checks number and sizes of the rows before a publish. */
export function isWhole(row: UploadRow, parts: PartRow[]): boolean {
  const sizeBytes = parts.reduce((sum, { idx }) => sum + partExtent(row.size, row.part_size, idx).length, 0);
  return parts.length === row.part_count && sizeBytes === row.size && parts.every(({ idx }, at) => idx === at);
}
