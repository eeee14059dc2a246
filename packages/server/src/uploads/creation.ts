/** Starts an upload, or finds the one to resume. All checks that do not need the bytes are done here. */
import { createHash } from 'node:crypto';
import { extensionOf, isMrcName } from '@cryolift/mrc';
import { isAcceptedType } from '@cryolift/protocol/accepted-types';
import { fromHex } from '@cryolift/protocol/digest';
import { UploadError } from '@cryolift/protocol/errors';
import type { InitRequest, UploadRecord } from '@cryolift/protocol/messages';
import { planParts } from '@cryolift/protocol/plan';
import type { AppendProtocol } from '../append-protocol.ts';
import { datasetEvent } from '../datasets/record.ts';
import type { Database } from '../db/database.ts';
import type { AppendRow, UploadRow } from '../db/tables.ts';
import { appendInsert, insertAppend } from '../db/uploads/appends.ts';
import { openPlainly } from '../db/uploads/plain-opening.ts';
import { type OpenOutcome, type OpenRequest, openUploadRow } from '../db/uploads/upload-opening.ts';
import { betweenSteps } from '../durable-step.ts';
import { UPLOAD_UPDATED } from '../events/event.ts';
import { assertMetadata, mergeMetadata } from '../files/metadata.ts';
import { readFreeBytes } from '../storage/space.ts';
import { lifeOf, type UploadContext } from './context.ts';
import { readFilename } from './filename.ts';
import { findUpload } from './lookup.ts';
import { findDatasetId, requestDataset } from './opening-dataset.ts';
import { refusalOf } from './opening-refusal.ts';
import { checkHeader, NEEDED_HEADER_BYTES, NO_HEADER } from './parts/header-check.ts';
import { createStaged } from './staging.ts';
import { emitUpload, eventsOf } from './transitions.ts';
import type { UploadLink } from './upload-links.ts';
import { toUpload } from './upload-record.ts';

/** Space left free on the storage for the database and other programs, bytes. */
const RESERVE_BYTES = 64 * 1024 * 1024;

export interface Opened {
  row: UploadRow;
  resumed: boolean;
}

/** An upload whose bytes a protocol appends. */
export interface Appending {
  readonly protocol: AppendProtocol;
  /** True: its name and type are those of a later concatenation. */
  readonly isPartial: boolean;
  /** True: its length is not known. */
  readonly isGrowing: boolean;
  /** What its protocol needs. */
  readonly row: Pick<AppendRow, 'raw_metadata' | 'sources' | 'concat'>;
  /** Bytes of it that are counted already, as those of its partial uploads. */
  readonly countedBytes?: number;
  /** Called in the transaction that starts it. */
  onOpened?(tx: Database, row: UploadRow): Promise<void>;
}

/**
 * @param idempotencyKey of the request, or null.
 * @param link of `owner` with which the upload is started; null: a token.
 * @param appending null: its parts are sent one by one.
 * @throws UploadError as page 7 lists them for init.
 */
export async function openUpload(
  context: UploadContext,
  owner: string,
  request: InitRequest,
  idempotencyKey: string | null,
  link: UploadLink | null = null,
  appending: Appending | null = null,
): Promise<Opened> {
  const row = draftUpload(context, owner, request, link, appending);
  const { metadata: given = {}, keep_metadata = false } = request;
  const opening: OpenRequest = {
    ...(await limitsOf(context, row)),
    // As with PATCH /files, the metadata of this run apply.
    mergeMetadata: (metadata) => {
      const merged = keep_metadata ? metadata : mergeMetadata(metadata, given);
      if (merged !== metadata) context.updateLimit.take(link?.id ?? owner);
      return merged;
    },
    idempotency:
      idempotencyKey === null ? null : { key: scopeKey(idempotencyKey, link), requestSha256: hashRequest(request) },
    countedBytes: appending?.countedBytes ?? 0,
    dataset: appending?.isPartial ? null : requestDataset(context, owner, request),
    link: link && { id: link.id, max_bytes: link.maxBytes, max_files: link.maxFiles },
  };
  const outcome =
    (await openWithoutReading(context, opening, appending)) ?? (await openOrFind(context, opening, appending));
  switch (outcome.kind) {
    case 'found':
      return {
        row: await findUpload(context, link ? { owner, linkId: link.id } : { owner }, outcome.row.id),
        resumed: true,
      };
    case 'opened': {
      betweenSteps('upload.opened');
      const placed = await place(context, outcome.row);
      context.log.info({ upload_id: row.id, size: row.size, part_size: row.part_size }, 'upload opened');
      return { row: placed, resumed: false };
    }
    default:
      throw refusalOf(outcome, row, context.policy, link);
  }
}

/** The limits of a new upload, where its request says nothing of them. */
export async function limitsOf(context: UploadContext, row: UploadRow): Promise<OpenRequest> {
  const { policy } = context;
  return {
    row,
    mergeMetadata: (metadata) => metadata,
    idempotency: null,
    quotaBytes: policy.quotaBytes,
    maxOpen: policy.maxOpenUploads,
    maxFiles: policy.maxFiles,
    countedBytes: 0,
    dataset: null,
    link: null,
    // While nothing expires, all open uploads are found.
    expiredBeforeMs: context.isClockSettled() ? row.created_at : 0,
    freeBytes: (await readFreeBytes(context.storage)) - RESERVE_BYTES,
  };
}

/** @returns null when nothing was written: `openOrFind` decides. */
async function openWithoutReading(
  context: UploadContext,
  opening: OpenRequest,
  appending: Appending | null,
): Promise<OpenOutcome | null> {
  const { db, outbox } = context;
  if (appending?.onOpened) return null;
  const dataset_id = opening.dataset && (await findDatasetId(db, opening.row.owner, opening.dataset));
  const row = { ...opening.row, dataset_id };
  const steps = openPlainly(db, { ...opening, row });
  if (!steps) return null;
  if (appending) steps.push({ write: appendInsert(db, toAppendRow(row, appending)).compile() });
  return (await outbox.commit(steps, () => eventsOf(db, row))) ? { kind: 'opened', row, madeDataset: null } : null;
}

async function openOrFind(
  context: UploadContext,
  opening: OpenRequest,
  appending: Appending | null,
): Promise<OpenOutcome> {
  return await context.outbox.transact(async (tx, emit) => {
    const opened = await openUploadRow(tx, opening);
    if (opened.kind === 'opened' && appending) {
      await insertAppend(tx, toAppendRow(opened.row, appending));
      await appending.onOpened?.(tx, opened.row);
    }
    if (opened.kind === 'opened') {
      const { row, madeDataset } = opened;
      if (madeDataset) await emit(datasetEvent('created', madeDataset, row.created_at));
      await emitUpload(tx, emit, row);
    }
    if (opened.kind === 'found' && opened.isUpdated) await emitUpload(tx, emit, opened.row, UPLOAD_UPDATED);
    return opened;
  });
}

function toAppendRow({ id }: UploadRow, { row }: Appending): AppendRow {
  return { upload_id: id, header: null, stalled: 0, ...row };
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
  // It has pieces alone, which have places of their own.
  if (row.is_partial && context.storage.pieces.maxBytes !== null) return row;
  if (!context.storage.uploads.hasRefs && beginsAtStart(row)) return row;
  return await createStaged(context, row).catch((error: unknown) => {
    context.log.warn({ upload_id: row.id, err: error }, 'staging file not made at init');
    return row;
  });
}

/** The first bytes that are stored of it make its place: they are a part, or the start of the file. */
function beginsAtStart({ door, is_growing }: UploadRow): boolean {
  return door === null || (door === 'resumable' && !is_growing);
}

/** The row of a new upload. @throws UploadError as page 7 lists them for init. */
export function draftUpload(
  context: UploadContext,
  owner: string,
  request: InitRequest,
  link: UploadLink | null,
  appending: Appending | null,
): UploadRow {
  const { size, force = false } = request;
  const { policy } = context;
  const id = context.newId();
  // Without a name an upload has that of its id.
  const filename = request.filename === '' && appending ? id : readFilename(request.filename);
  assertMetadata(request.metadata ?? {});
  if (!appending?.isPartial) assertAccepted(policy.acceptedTypes, filename);
  if (size > policy.maxFileSizeBytes) {
    throw new UploadError('file_too_large', `The file has ${size} bytes; ${policy.maxFileSizeBytes} are allowed.`);
  }
  const header = request.header === undefined ? null : decodeHeader(request.header, size);
  const plan = planParts(size, policy.parts, request.part_size);
  const now = context.now();
  return {
    id,
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
    ...(appending?.isGrowing ? NO_HEADER : checkHeader({ filename, sizeBytes: size, header, force })),
    force: force ? 1 : 0,
    file_id: null,
    failure: null,
    must_recheck: 0,
    link_id: link?.id ?? null,
    instrument: request.instrument ?? null,
    dataset_id: null,
    is_trial: request.trial ? 1 : 0,
    proxied: 0,
    storage_ref: null,
    door: appending?.protocol ?? null,
    is_partial: appending?.isPartial ? 1 : 0,
    is_growing: appending?.isGrowing ? 1 : 0,
    final_id: null,
    is_counted: 1,
    copied_from: null,
    created_at: now,
    updated_at: now,
    expires_at: now + lifeOf(policy, request.trial ? 1 : 0),
  };
}

/** @throws UploadError `unsupported_file_type`. */
function assertAccepted(acceptedTypes: readonly string[], filename: string): void {
  const extension = extensionOf(filename);
  if (isMrcName(filename) || isAcceptedType(acceptedTypes, extension)) return;
  const message = `Files of type ${extension ? `.${extension}` : '(none)'} are not accepted.`;
  throw new UploadError('unsupported_file_type', message);
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
  const { trial = false, keep_metadata = false, instrument, dataset_id } = request;
  const pairs = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  // Omitted when absent, so that keys from before these fields existed stay valid.
  const flags = trial || keep_metadata ? [trial, ...(keep_metadata ? [true] : [])] : [];
  const rest = instrument === undefined ? flags : [...flags, { instrument }];
  const canonical = JSON.stringify([
    ...[filename, size, sha256, part_size, fingerprint, header, pairs, force ?? false],
    ...rest,
    ...(dataset_id === undefined ? [] : [{ dataset_id }]),
  ]);
  return createHash('sha256').update(canonical).digest();
}
