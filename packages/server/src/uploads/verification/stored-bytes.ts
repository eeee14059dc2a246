/** The stored bytes of an upload that is being completed: the digest of the whole, and what to do when some are not there. */
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
 * The digest of the whole; in the same pass, every part that this process has not verified before is compared with its row.
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
  await withdraw(context, row);
  const now = await invalidateParts(context, row, lost);
  context.log.error(
    { upload_id: row.id, lost_parts: lost.length },
    'stored bytes are not those that were acknowledged',
  );
  throw await uploadIncomplete(context, now ?? row);
}

/** To be thrown instead of `error`, which came of reading or publishing the stored bytes. */
export async function reopenIfGone(context: UploadContext, row: UploadRow, error: unknown): Promise<never> {
  throw error instanceof BytesGone ? await reopen(context, row) : error;
}

/** The stored bytes are not there, or not all: what is left is verified, and the rest is asked for again. */
export async function reopen(context: UploadContext, row: UploadRow): Promise<UploadError> {
  const now = await verifyAgain(context, row.id);
  if (now && now.received_parts < now.part_count) return await uploadIncomplete(context, now);
  return new UploadError('storage_unavailable', 'The stored bytes of this upload were moved; they are verified again.');
}

/** Rows that are counted and added up: nothing else is ever published. */
export function isWhole(row: UploadRow, parts: PartRow[]): boolean {
  const sizeBytes = parts.reduce((sum, { idx }) => sum + partExtent(row.size, row.part_size, idx).length, 0);
  return parts.length === row.part_count && sizeBytes === row.size && parts.every(({ idx }, at) => idx === at);
}
