/** Expired and failed uploads, and the cleanup at each end. */
import type { UploadError } from '@cryolift/protocol/errors';
import type { Guard } from '../db/database.ts';
import type { UploadRow } from '../db/tables.ts';
import { findUploadRow } from '../db/uploads/uploads.ts';
import { betweenSteps } from '../durable-step.ts';
import type { UploadContext } from './context.ts';
import { moveUpload } from './transitions.ts';
import { type Failure, toStaged } from './upload-record.ts';
import { discardStaged } from './verification/staged-bytes.ts';
import { forgetPieces } from './verification/stored-pieces.ts';

/** True when no part arrived for longer than the lifetime of an upload, by a reliable clock. */
export function isOverdue(context: UploadContext, row: UploadRow): boolean {
  return context.isClockSettled() && row.expires_at <= context.now();
}

/**
 * Expires an upload.
 *
 * @returns the row after that, or undefined when its state does not expire, or it is being verified: then it expires
 * later.
 */
export async function expireUpload(context: UploadContext, row: UploadRow): Promise<UploadRow | undefined> {
  if (await context.attempts.isExclusive(row.id)) return undefined;
  const expired = await moveUpload(context, row.id, 'expire');
  if (!expired) return undefined;
  await freeUpload(context, row);
  context.log.info({ upload_id: row.id, received_bytes: row.received_bytes }, 'upload expired');
  return expired;
}

/**
 * Fails an upload whose bytes are wrong. They are kept until it expires. A copy keeps none.
 *
 * @param guard throws when this server may not decide that any more.
 * @returns false when it has ended otherwise.
 */
export async function failUpload(
  context: UploadContext,
  row: UploadRow,
  error: UploadError,
  requestId: string,
  guard?: Guard,
): Promise<boolean> {
  const failure: Failure = {
    code: error.code,
    message: error.message,
    request_id: requestId,
    ...(error.details ? { details: error.details } : {}),
  };
  const changes = {
    failure: JSON.stringify(failure),
    expires_at: context.now() + context.policy.uploadTtlMs,
    // A copy has no bytes that could count.
    ...(row.copied_from === null ? {} : { is_counted: 0 }),
  };
  const failed = await moveUpload(context, row.id, 'fail', changes, guard);
  context.prefixes.forget(row.id);
  context.verified.forget(row.id);
  context.log.warn({ upload_id: row.id, code: error.code }, 'upload failed');
  return failed !== undefined;
}

/** The row says that the session is over: stop what still writes, then free the space. */
export async function freeUpload(context: UploadContext, { id }: UploadRow): Promise<void> {
  await context.attempts.exclude(id, async () => {
    context.prefixes.forget(id);
    context.verified.forget(id);
    // A part that was started before may have created its place only now.
    const row = await findUploadRow(context.db, id);
    if (!row) return;
    betweenSteps('upload.ended');
    // What cannot be removed now is found without a row at the next sweep.
    await discardStaged(context, toStaged(row)).catch((error: unknown) =>
      context.log.error({ upload_id: id, err: error }, 'staging file not removed'),
    );
    betweenSteps('upload.freed');
    if (row.door) await forgetPieces(context, id);
  });
}
