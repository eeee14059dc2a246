/** Records a part whose bytes are stored, however they got there. */
import { UploadError } from '@cryolift/protocol/errors';
import type { PartReceipt } from '@cryolift/protocol/messages';
import type { UploadRow } from '../../db/tables.ts';
import { commitPart } from '../../db/uploads/parts.ts';
import { betweenSteps } from '../../durable-step.ts';
import type { Lease } from '../../leases/lease.ts';
import type { CommittedPart } from '../../storage/upload-storage.ts';
import { lifeOf, type UploadContext } from '../context.ts';
import { uploadNotFound } from '../lookup.ts';
import { emitSection } from './early-section.ts';
import type { HeaderVerdict } from './header-check.ts';
import { timeStage } from './meter.ts';
import { compareStored, type ReceiptOf, toReceipt } from './part-receipt.ts';
import { uploadClosed } from './part-request.ts';

/** A part that is stored. */
export interface StoredBytes extends CommittedPart {
  /** This process has hashed the bytes that are stored. */
  readonly isHashed: boolean;
  /** With which this server has received the part; null: no other server can receive it, or none has. */
  readonly lease: Lease | null;
}

/**
 * @param header of part 0 of an MRC file, when its bytes are known.
 * @returns 'lease_lost' when another server may have taken the part over.
 * @throws UploadError `part_conflict` when the part is recorded with another digest; `upload_closed`, `upload_expired`.
 */
export async function recordPart(
  context: UploadContext,
  upload: UploadRow,
  request: ReceiptOf,
  { sha256, receipt, isHashed, lease }: StoredBytes,
  header: HeaderVerdict | null,
): Promise<PartReceipt | 'lease_lost'> {
  const now = context.now();
  const part = {
    idx: request.idx,
    sizeBytes: request.lengthBytes,
    sha256,
    receipt,
    storageRef: upload.storage_ref,
    lease,
    nowMs: now,
    expiresAtMs: now + lifeOf(context.policy, upload.is_trial),
    ...(header ? { header } : {}),
  };
  betweenSteps('part.stored');
  const outcome = await timeStage(context.meter, 'commit', () => commitPart(context.db, upload.id, part));
  switch (outcome.kind) {
    case 'stored':
      betweenSteps('part.recorded');
      lease?.noteReleased();
      // A flush that failed meanwhile may have had these bytes.
      context.doubtful.assertNone(upload.id);
      if (isHashed) context.verified.note(outcome.row, request.idx);
      context.bus.noteParts(outcome.row);
      await notePrefix(context, outcome.row, request.idx);
      return toReceipt(outcome.row, request, sha256, false);
    case 'exists':
      return await compareStored(context, request, outcome.part, sha256);
    case 'closed':
      throw outcome.row ? uploadClosed(outcome.row) : uploadNotFound(upload.id);
    case 'moved':
      throw new UploadError('storage_unavailable', 'The upload was given another place in the storage meanwhile.');
    case 'lease_lost':
      return 'lease_lost';
  }
}

async function notePrefix(context: UploadContext, row: UploadRow, idx: number): Promise<void> {
  const slice = await context.prefixes.note(row, idx);
  if (slice === null) return;
  // The part is stored, also when the event cannot be emitted.
  await emitSection(context, row, slice).catch((error: unknown) =>
    context.log.error(
      { upload_id: row.id, err: error },
      'the event for a section that has arrived could not be written',
    ),
  );
}
