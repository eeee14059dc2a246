/** The ends of a session other than a file: cancelled, expired, failed. */
import { UploadError } from '@cryolift/protocol/errors';
import { forgetTrial } from '../db/sessions.ts';
import type { UploadRow } from '../db/tables.ts';
import type { AccessScope, UploadContext } from './context.ts';
import { findUpload } from './lookup.ts';
import { moveUpload } from './transitions.ts';
import type { Failure } from './upload-record.ts';

/**
 * Ends a session at its owner's wish and frees its space. Safe to repeat.
 *
 * @throws UploadError `upload_closed` when it is being published or is a file already.
 */
export async function cancelUpload(context: UploadContext, access: AccessScope, id: string): Promise<void> {
  const row = await findUpload(context, access, id);
  const cancelled = await moveUpload(context, id, 'cancel');
  if (cancelled) {
    await freeUpload(context, id);
    if (row.is_trial) await forgetTrial(context.db, id);
    context.log.info({ upload_id: id, received_bytes: row.received_bytes }, 'upload cancelled');
    return;
  }
  const now = await findUpload(context, access, id);
  if (now.status === 'cancelled' || now.status === 'expired') return;
  const message =
    now.status === 'completed'
      ? 'This upload is complete; delete its file instead.'
      : 'This upload is being verified and cannot be cancelled any more.';
  throw new UploadError('upload_closed', message, { details: { status: now.status, file_id: now.file_id } });
}

/** Nothing has come for longer than a session is kept, as far as the clock can say. */
export function isOverdue(context: UploadContext, row: UploadRow): boolean {
  return context.isClockSettled() && row.expires_at <= context.now();
}

/**
 * Ends a session whose time is over.
 *
 * @returns the row after that, or undefined when it is not one that expires, or is being verified: then it expires later.
 */
export async function expireUpload(context: UploadContext, row: UploadRow): Promise<UploadRow | undefined> {
  if (context.attempts.isExclusive(row.id)) return undefined;
  const expired = await moveUpload(context, row.id, 'expire');
  if (!expired) return undefined;
  await freeUpload(context, row.id);
  context.log.info({ upload_id: row.id, received_bytes: row.received_bytes }, 'upload expired');
  return expired;
}

/** Ends a session whose bytes are wrong. They are kept until it expires. */
export async function failUpload(
  context: UploadContext,
  row: UploadRow,
  error: UploadError,
  requestId: string,
): Promise<void> {
  const failure: Failure = {
    code: error.code,
    message: error.message,
    request_id: requestId,
    ...(error.details ? { details: error.details } : {}),
  };
  await moveUpload(context, row.id, 'fail', {
    failure: JSON.stringify(failure),
    expires_at: context.now() + context.policy.uploadTtlMs,
  });
  context.prefixes.forget(row.id);
  context.verified.forget(row.id);
  context.log.warn({ upload_id: row.id, code: error.code }, 'upload failed');
}

/** The row says that the session is over: stop what still writes, then free the space. */
async function freeUpload(context: UploadContext, id: string): Promise<void> {
  await context.attempts.exclude(id, async () => {
    context.prefixes.forget(id);
    context.verified.forget(id);
    // What cannot be removed now is found without a row at the next sweep.
    await context.store
      .discard(id)
      .catch((error: unknown) => context.log.error({ upload_id: id, err: error }, 'staging file not removed'));
  });
}
