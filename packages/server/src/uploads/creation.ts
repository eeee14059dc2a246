/** Starts an upload, or finds the one to resume. All checks that do not need the bytes are done here. */
import { createHash } from 'node:crypto';
import { extensionOf, isMrcName } from '@cryolift/mrc';
import { fromHex } from '@cryolift/protocol/digest';
import { UploadError } from '@cryolift/protocol/errors';
import type { InitRequest, UploadRecord } from '@cryolift/protocol/messages';
import { planParts } from '@cryolift/protocol/plan';
import type { UploadRow } from '../db/tables.ts';
import { type OpenOutcome, type OpenRequest, openUploadRow } from '../db/uploads/upload-opening.ts';
import { UPLOAD_UPDATED } from '../events/event.ts';
import { assertMetadata, mergeMetadata } from '../files/metadata.ts';
import { readFreeBytes } from '../storage/space.ts';
import { lifeOf, type UploadContext } from './context.ts';
import { readFilename } from './filename.ts';
import { findUpload } from './lookup.ts';
import { checkHeader, NEEDED_HEADER_BYTES } from './parts/header-check.ts';
import { createStaged } from './staging.ts';
import { emitUpload } from './transitions.ts';
import type { UploadLink } from './upload-links.ts';
import { toUpload } from './upload-record.ts';

/** Space left free on the storage for the database and other programs, bytes. */
const RESERVE_BYTES = 64 * 1024 * 1024;

export interface Opened {
  row: UploadRow;
  resumed: boolean;
}

/**
 * @param idempotencyKey of the request, or null.
 * @param link of `owner` with which the upload is started; null: a token.
 * @throws UploadError as page 7 lists them for init.
 */
export async function openUpload(
  context: UploadContext,
  owner: string,
  request: InitRequest,
  idempotencyKey: string | null,
  link: UploadLink | null = null,
): Promise<Opened> {
  const row = draft(context, owner, request, link);
  const { metadata: given = {}, keep_metadata = false } = request;
  const freeBytes = (await readFreeBytes(context.storage)) - RESERVE_BYTES;
  const opening: OpenRequest = {
    row,
    // As with PATCH /files, the metadata of this run apply.
    mergeMetadata: (metadata) => {
      const merged = keep_metadata ? metadata : mergeMetadata(metadata, given);
      if (merged !== metadata) context.updateLimit.take(link?.id ?? owner);
      return merged;
    },
    idempotency:
      idempotencyKey === null ? null : { key: scopeKey(idempotencyKey, link), requestSha256: hashRequest(request) },
    quotaBytes: context.policy.quotaBytes,
    maxOpen: context.policy.maxOpenUploads,
    maxFiles: context.policy.maxFiles,
    link: link && { id: link.id, max_bytes: link.maxBytes, max_files: link.maxFiles },
    // While nothing expires, all open uploads are found.
    expiredBeforeMs: context.isClockSettled() ? row.created_at : 0,
    freeBytes,
  };
  const outcome = await context.outbox.transact(async (tx, emit) => {
    const opened = await openUploadRow(tx, opening);
    if (opened.kind === 'opened') await emitUpload(tx, emit, opened.row);
    if (opened.kind === 'found' && opened.isUpdated) await emitUpload(tx, emit, opened.row, UPLOAD_UPDATED);
    return opened;
  });
  switch (outcome.kind) {
    case 'found':
      return {
        row: await findUpload(context, link ? { owner, linkId: link.id } : { owner }, outcome.row.id),
        resumed: true,
      };
    case 'opened': {
      const placed = await place(context, outcome.row);
      context.log.info({ upload_id: row.id, size: row.size, part_size: row.part_size }, 'upload opened');
      return { row: placed, resumed: false };
    }
    default:
      throw refuse(outcome, row, context, link);
  }
}

/** As `openUpload`. @returns the message for clients. */
export async function initUpload(
  context: UploadContext,
  owner: string,
  request: InitRequest,
  idempotencyKey: string | null,
  link: UploadLink | null,
): Promise<UploadRecord> {
  const { row, resumed } = await openUpload(context, owner, request, idempotencyKey, link);
  return await toUpload(context.db, row, resumed);
}

/** Separates the keys of a link from those of its owner: no header value has a line break. */
function scopeKey(key: string, link: UploadLink | null): string {
  return link ? `${link.id}\n${key}` : key;
}

/**
 * The row comes first, so that what lies in the staging area without a row is always waste. Others may have found it
 * already, so the upload stays what it is when this fails: the first part, or complete, makes the place or says why not.
 */
async function place(context: UploadContext, row: UploadRow): Promise<UploadRow> {
  return await createStaged(context, row).catch((error: unknown) => {
    context.log.warn({ upload_id: row.id, err: error }, 'staging file not made at init');
    return row;
  });
}

function draft(context: UploadContext, owner: string, request: InitRequest, link: UploadLink | null): UploadRow {
  const { size, force = false } = request;
  const { policy } = context;
  const filename = readFilename(request.filename);
  assertMetadata(request.metadata ?? {});
  const extension = extensionOf(filename);
  if (!isMrcName(filename) && !policy.acceptedTypes.includes(extension)) {
    throw new UploadError(
      'unsupported_file_type',
      `Files of type ${extension ? `.${extension}` : '(none)'} are not accepted.`,
    );
  }
  if (size > policy.maxFileSizeBytes) {
    throw new UploadError('file_too_large', `The file has ${size} bytes; ${policy.maxFileSizeBytes} are allowed.`);
  }
  const header = request.header === undefined ? null : decodeHeader(request.header, size);
  const plan = planParts(size, policy.parts, request.part_size);
  const now = context.now();
  return {
    id: context.newId(),
    owner,
    status: 'pending',
    filename,
    size,
    part_size: plan.partSizeBytes,
    part_count: plan.partCount,
    received_parts: 0,
    received_bytes: 0,
    sha256: request.sha256 === undefined ? null : fromHex(request.sha256),
    fingerprint: request.fingerprint ?? null,
    metadata: JSON.stringify(request.metadata ?? {}),
    ...checkHeader({ filename, sizeBytes: size, header, force }),
    force: force ? 1 : 0,
    file_id: null,
    failure: null,
    must_recheck: 0,
    link_id: link?.id ?? null,
    is_trial: request.trial ? 1 : 0,
    proxied: 0,
    storage_ref: null,
    created_at: now,
    updated_at: now,
    expires_at: now + lifeOf(policy, request.trial ? 1 : 0),
  };
}

function decodeHeader(base64: string, sizeBytes: number): Uint8Array {
  const header = Buffer.from(base64, 'base64');
  if (stripPadding(header.toString('base64')) !== stripPadding(base64)) {
    throw new UploadError('invalid_request', 'header is not base64.');
  }
  if (header.length > sizeBytes || header.length < Math.min(NEEDED_HEADER_BYTES, sizeBytes)) {
    throw new UploadError(
      'invalid_request',
      `header has ${header.length} bytes; it must have the first ${NEEDED_HEADER_BYTES} or more of the ${sizeBytes} bytes of the file.`,
    );
  }
  return header;
}

/** Not by `/=+$/`, whose time grows with the square of the length. */
function stripPadding(base64: string): string {
  let end = base64.length;
  while (end > 0 && base64[end - 1] === '=') end--;
  return base64.slice(0, end);
}

/** The request in a canonical order of its fields. */
function hashRequest(request: InitRequest): Uint8Array {
  const { filename, size, sha256, part_size, fingerprint, header, metadata = {}, force } = request;
  const { trial = false, keep_metadata = false } = request;
  const pairs = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  // Omitted when absent, so that keys from before these fields existed stay valid.
  const rest = trial || keep_metadata ? [trial, ...(keep_metadata ? [true] : [])] : [];
  const canonical = JSON.stringify([
    ...[filename, size, sha256, part_size, fingerprint, header, pairs, force ?? false],
    ...rest,
  ]);
  return createHash('sha256').update(canonical).digest();
}

function refuse(
  outcome: Exclude<OpenOutcome, { row: UploadRow }>,
  row: UploadRow,
  { policy }: UploadContext,
  link: UploadLink | null,
): UploadError {
  switch (outcome.kind) {
    case 'idempotency_conflict':
      return new UploadError('idempotency_conflict', 'This Idempotency-Key was used with a different request.');
    case 'too_many_open': {
      const { open: used } = outcome;
      const limit = policy.maxOpenUploads;
      return new UploadError('quota_exceeded', `You have ${used} uploads open; ${limit} are allowed.`, {
        hint: 'Finish or cancel some of them: GET /uploads lists yours.',
        details: { used, limit, needed: 1 },
      });
    }
    case 'too_many_files': {
      const { files: used } = outcome;
      const limit = policy.maxFiles;
      return new UploadError('quota_exceeded', `You have ${used} files and uploads; ${limit} are allowed.`, {
        hint: 'Delete files, or ask for a larger CRYOLIFT_QUOTA_FILES. Uploads that ended count until their rows are deleted.',
        details: { used, limit, needed: 1 },
      });
    }
    case 'too_many_ended':
      return new UploadError('quota_exceeded', `${outcome.ended} uploads have ended without a file.`, {
        hint: 'They count until their rows are deleted. Check for a program that starts uploads and does not finish them.',
      });
    case 'too_many_keys':
      return new UploadError('quota_exceeded', 'This upload has been found under too many Idempotency-Keys.', {
        hint: 'Send the same Idempotency-Key again, or none.',
      });
    case 'quota_exceeded': {
      const details = { used: outcome.usedBytes, limit: policy.quotaBytes, needed: row.size };
      return new UploadError('quota_exceeded', `${printBytes(details)}: more than your quota.`, { details });
    }
    case 'link_exceeded': {
      const details = { used: outcome.usedBytes, limit: link?.maxBytes ?? null, needed: row.size };
      const files = { used_files: outcome.usedFiles, limit_files: link?.maxFiles ?? null };
      const reason =
        details.limit !== null && details.used + details.needed > details.limit
          ? printBytes(details)
          : `${files.used_files} of ${files.limit_files} files were started, and this file is one more`;
      return new UploadError('quota_exceeded', `${reason}: more than this link allows.`, {
        hint: 'Ask for another link, or cancel unfinished uploads.',
        details: { ...details, ...files },
      });
    }
    case 'no_space': {
      const available = Math.max(0, outcome.availableBytes);
      return new UploadError(
        'insufficient_storage',
        `The file has ${row.size} bytes; ${available} are left for new uploads.`,
        {
          details: { needed: row.size, available },
        },
      );
    }
  }
}

function printBytes({ used, limit, needed }: { used: number; limit: number | null; needed: number }): string {
  return `${used} of ${limit} bytes are used, and this file needs ${needed}`;
}
