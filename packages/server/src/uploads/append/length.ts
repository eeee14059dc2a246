/** The length of an appended upload: it grows while it is not known, and is declared once. */
import { UploadError } from '@cryolift/protocol/errors';
import { MAX_PART_COUNT, planParts } from '@cryolift/protocol/plan';
import type { UploadRow } from '../../db/tables.ts';
import { findAppend } from '../../db/uploads/appends.ts';
import { type ResizeOutcome, resizeUploadRow } from '../../db/uploads/growth.ts';
import { findLinkById } from '../../db/uploads/links.ts';
import { replaceHeader } from '../../db/uploads/uploads.ts';
import { readFreeBytes } from '../../storage/space.ts';
import type { AccessScope, UploadContext } from '../context.ts';
import { checkHeader } from '../parts/header-check.ts';
import { failIfRefused } from '../parts/header-refusal.ts';
import { assertOpen, uploadClosed } from '../parts/part-request.ts';
import { finishPart } from './last-part.ts';
import { stagedWithPieces } from './segments.ts';
import { APPEND, findAppended, offsetOf } from './state.ts';

/**
 * Declares the length of an upload that was started without one. Ends the append that is under way. Safe to repeat.
 *
 * @param sizeBytes 0 to 2^53-1.
 * @throws UploadError `invalid_request` when another length was declared, or more bytes are there; `invalid_mrc` when the
 *   header says otherwise: the upload has failed; `file_too_large`, `quota_exceeded`, `insufficient_storage`.
 */
export async function declareLength(
  context: UploadContext,
  access: AccessScope,
  id: string,
  sizeBytes: number,
  requestId: string,
): Promise<void> {
  assertOpen(await findAppended(context, access, id));
  const attempt = await context.attempts.begin(id, APPEND);
  try {
    const row = await findAppended(context, access, id);
    assertOpen(row);
    await declare(context, row, sizeBytes, requestId);
  } finally {
    attempt.release();
  }
}

async function declare(context: UploadContext, row: UploadRow, sizeBytes: number, requestId: string): Promise<void> {
  if (!row.is_growing) {
    if (row.size === sizeBytes) return;
    throw new UploadError('invalid_request', `The length of this upload is ${row.size} bytes, not ${sizeBytes}.`);
  }
  const offset = await offsetOf(context, row);
  if (sizeBytes < offset) {
    throw new UploadError('invalid_request', `This upload has ${offset} bytes, more than ${sizeBytes}.`);
  }
  const verdict = await checkLength(context, row, sizeBytes, requestId);
  // Before the row: a server that ends here finds a length that is not known, and sets it again.
  await resizeStaged(context, { ...row, size: sizeBytes, is_growing: 0 });
  const now = await resize(context, row, sizeBytes, true);
  if (verdict) await replaceHeader(context.db, row.id, verdict);
  await finishPart(context, now, requestId);
}

/**
 * Increases the size of an upload whose length is not known to `endBytes` at least. Safe to repeat.
 *
 * @returns the row after that. @throws UploadError `file_too_large`, `quota_exceeded`, `insufficient_storage`.
 */
export async function grow(context: UploadContext, row: UploadRow, endBytes: number): Promise<UploadRow> {
  if (!row.is_growing) return row;
  const grown = endBytes > row.size ? await resize(context, row, endBytes, false) : row;
  await resizeStaged(context, grown);
  return grown;
}

/** The header was checked alone. @throws UploadError `invalid_mrc`. */
async function checkLength(context: UploadContext, row: UploadRow, sizeBytes: number, requestId: string) {
  const header = (await findAppend(context.db, row.id))?.header;
  if (!header) return null;
  const question = { filename: row.filename, sizeBytes, header, force: row.force === 1 };
  return await failIfRefused(context, row, requestId, () => checkHeader(question));
}

async function resizeStaged({ storage }: UploadContext, row: UploadRow): Promise<void> {
  await storage.pieces.resize(stagedWithPieces(row));
}

async function resize(context: UploadContext, row: UploadRow, sizeBytes: number, isFinal: boolean): Promise<UploadRow> {
  const { policy, db } = context;
  const partCount = countParts(context, row, sizeBytes);
  const outcome = await resizeUploadRow(db, {
    id: row.id,
    sizeBytes,
    partCount,
    isFinal,
    quotaBytes: policy.quotaBytes,
    link: row.link_id === null ? null : ((await findLinkById(db, row.link_id)) ?? null),
    freeBytes: await readFreeBytes(context.storage),
    nowMs: context.now(),
  });
  if (outcome.kind === 'resized') return outcome.row;
  throw refuse(outcome, sizeBytes - row.size, row);
}

/**
 * The number of parts of an upload whose length was not known; the size of its parts cannot change any more.
 *
 * @throws UploadError `file_too_large`.
 */
export function countParts({ policy }: UploadContext, { part_size }: UploadRow, sizeBytes: number): number {
  if (sizeBytes > policy.maxFileSizeBytes) throw tooLarge(sizeBytes, policy.maxFileSizeBytes);
  const { partSizeBytes, partCount } = planParts(sizeBytes, policy.parts, part_size);
  if (partSizeBytes === part_size) return partCount;
  throw tooLarge(sizeBytes, part_size * (policy.parts.maxPartCount ?? MAX_PART_COUNT));
}

function tooLarge(sizeBytes: number, maxBytes: number): UploadError {
  return new UploadError('file_too_large', `The file has ${sizeBytes} bytes; ${maxBytes} are allowed.`);
}

function refuse(outcome: Exclude<ResizeOutcome, { kind: 'resized' }>, needed: number, row: UploadRow): UploadError {
  switch (outcome.kind) {
    case 'fixed':
      return uploadClosed(outcome.row ?? row);
    case 'quota_exceeded': {
      const { usedBytes: used, limitBytes: limit } = outcome;
      const message = `${used} of ${limit} bytes are used, and this upload needs ${needed} more.`;
      return new UploadError('quota_exceeded', message, { details: { used, limit, needed } });
    }
    case 'no_space': {
      const available = Math.max(0, outcome.availableBytes);
      const message = `This upload needs ${needed} more bytes; ${available} are left.`;
      return new UploadError('insufficient_storage', message, { details: { needed, available } });
    }
  }
}
