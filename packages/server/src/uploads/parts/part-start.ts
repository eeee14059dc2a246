/**
 * Starts to receive a part. Everything that needs no body is checked before the body is read. All paths of `http/` call
 * this.
 */
import { UploadError } from '@cryolift/protocol/errors';
import type { PartReceipt } from '@cryolift/protocol/messages';
import { OPEN_STATES } from '@cryolift/protocol/states';
import type { UploadRow } from '../../db/tables.ts';
import { findPart } from '../../db/uploads/parts.ts';
import type { Extent } from '../../storage/places.ts';
import { readFreeBytes } from '../../storage/space.ts';
import type { AccessScope, UploadContext } from '../context.ts';
import { assertNotSigned } from '../direct/signed-elsewhere.ts';
import { findUpload } from '../lookup.ts';
import { ensureStaged } from '../staging.ts';
import { toStaged } from '../upload-record.ts';
import { reportLost } from '../verification/lost-parts.ts';
import { compareStored } from './part-receipt.ts';
import { ComparingReceiver, type PartReceiver, WritingReceiver } from './part-receiver.ts';
import { assertParted, type PartRequest, type RequestedPart, uploadClosed, validateRequest } from './part-request.ts';

/** Kept free on the disk for the database, which records parts and deletions. */
const KEPT_FREE_BYTES = 16 * 1024 * 1024;

export type PartStart =
  /** The body is not needed. */
  | { kind: 'answered'; receipt: PartReceipt }
  /** The part goes to the receiver. It has `lengthBytes`. */
  | { kind: 'receiving'; receiver: PartReceiver; lengthBytes: number };

/**
 * Checks everything that needs no body.
 *
 * @throws UploadError as `docs/architecture/7-api-specifications.md` lists them for parts.
 */
export async function beginPart(
  context: UploadContext,
  access: AccessScope,
  requested: RequestedPart,
): Promise<PartStart> {
  const row = await findUpload(context, access, requested.uploadId);
  assertParted(row);
  const extent = validateRequest(row, requested);
  const request = { ...requested, lengthBytes: extent.length };
  context.doubtful.assertNone(row.id);
  const known = await answerStored(context, row, request);
  if (known) return known;

  const attempt = await context.attempts.begin(row.id, request.idx);
  try {
    // The older attempt may have committed while we waited for it.
    const meanwhile = await answerStored(context, row, request);
    if (meanwhile) {
      attempt.release();
      return meanwhile;
    }
    context.doubtful.assertNone(row.id);
    await assertSpace(context, extent);
    await assertNotSigned(context, row, request);
    const placed = await ensureStaged(context, row);
    const sink = await context.storage.uploads.openSink(toStaged(placed), extent, request.sha256);
    if (sink === 'lost') {
      // The verification waits for the end of every attempt, of this one, too.
      attempt.release();
      throw await reportLost(context, row);
    }
    const receiver = new WritingReceiver(context, placed, request, attempt, sink);
    return { kind: 'receiving', receiver, lengthBytes: extent.length };
  } catch (error) {
    attempt.release();
    throw error;
  }
}

/** @throws UploadError `insufficient_storage` before the body is read. */
export async function assertSpace(context: UploadContext, { length }: Pick<Extent, 'length'>): Promise<void> {
  const freeBytes = await readFreeBytes(context.storage);
  if (freeBytes >= length + KEPT_FREE_BYTES) return;
  throw new UploadError('insufficient_storage', `The storage has ${freeBytes} bytes left, which is too little.`);
}

/** The way to continue when the part is already stored; null when it is not. */
async function answerStored(context: UploadContext, row: UploadRow, request: PartRequest): Promise<PartStart | null> {
  const part = await findPart(context.db, row.id, request.idx);
  if (!part) {
    if (OPEN_STATES.includes(row.status)) return null;
    throw uploadClosed(row);
  }
  if (request.sha256 === null) {
    return {
      kind: 'receiving',
      receiver: new ComparingReceiver(context, request, part),
      lengthBytes: request.lengthBytes,
    };
  }
  return { kind: 'answered', receipt: await compareStored(context, request, part, request.sha256) };
}
