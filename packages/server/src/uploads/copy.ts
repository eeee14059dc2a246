/** Makes another file of the bytes of a published one, without a client that sends them. */
import { extensionOf, isMrcName, isTiffName } from '@cryolift/mrc';
import { toHex } from '@cryolift/protocol/digest';
import { UploadError } from '@cryolift/protocol/errors';
import type { CopyRequest, InitRequest, UploadRecord } from '@cryolift/protocol/messages';
import { datasetEvent } from '../datasets/record.ts';
import { type CopyOutcome, openCopyRow } from '../db/copies/opening.ts';
import type { UploadRow } from '../db/tables.ts';
import { betweenSteps } from '../durable-step.ts';
import { fileNotFound, readContent } from '../files/files.ts';
import { type StoredFile, toStoredFile } from '../files/stored-file.ts';
import { completeUpload } from './completion.ts';
import type { UploadContext } from './context.ts';
import { fileDamaged } from './copied-file.ts';
import { draftUpload, limitsOf } from './creation.ts';
import { requestDataset } from './opening-dataset.ts';
import { refusalOf } from './opening-refusal.ts';
import { NEEDED_HEADER_BYTES } from './parts/header-check.ts';
import { emitUpload } from './transitions.ts';

/** A client that copies a file whose digest is being computed comes again after this time. */
const DIGEST_SECONDS = 5;

/** `present`: the same file was there before. */
export type Copied = { kind: 'copied' | 'present'; file: StoredFile } | { kind: 'verifying'; upload: UploadRecord };

/**
 * Copies a file for its owner; safe to repeat and to call twice at once. What is not given is as the source has it.
 *
 * @throws UploadError as for an init, and `file_not_found`, `file_damaged`, `overloaded` while the digest of the source is
 *   not known.
 */
export async function copyFile(
  context: UploadContext,
  source: StoredFile,
  asked: CopyRequest,
  requestId: string,
): Promise<Copied> {
  if (source.sha256 === null) {
    throw new UploadError('overloaded', 'The SHA-256 of this file is being computed.', {
      retryAfterSeconds: DIGEST_SECONDS,
    });
  }
  const request = await toInit(context, source, asked);
  const row = toCopyRow(context, source, draftUpload(context, source.owner, request, null, null));
  const dataset = requestDataset(context, source.owner, request);
  const outcome = await open(context, { ...(await limitsOf(context, row)), dataset });
  switch (outcome.kind) {
    case 'present':
      return { kind: 'present', file: toStoredFile(outcome.file) };
    case 'file_not_found':
      throw fileNotFound(source.id);
    case 'file_damaged':
      throw fileDamaged(outcome.fault);
    case 'opened':
      context.log.info({ upload_id: row.id, file_id: source.id, size: row.size }, 'copy opened');
      betweenSteps('copy.opened');
      break;
    case 'found':
      break;
    default:
      throw refusalOf(outcome, row, context.policy, null);
  }
  const done = await completeUpload(context, { owner: source.owner }, outcome.row.id, undefined, requestId);
  return done.kind === 'completed' ? { kind: 'copied', file: done.file } : done;
}

async function open(context: UploadContext, opening: Parameters<typeof openCopyRow>[1]): Promise<CopyOutcome> {
  return await context.outbox.transact(async (tx, emit) => {
    const opened = await openCopyRow(tx, opening);
    if (opened.kind === 'opened') {
      if (opened.madeDataset) await emit(datasetEvent('created', opened.madeDataset, opened.row.created_at));
      await emitUpload(tx, emit, opened.row);
    }
    return opened;
  });
}

/** The init of an upload of the same bytes. */
async function toInit(context: UploadContext, source: StoredFile, asked: CopyRequest): Promise<InitRequest> {
  const { record } = source;
  const { filename = source.filename, metadata = record.metadata } = asked ?? {};
  const instrument = asked?.instrument ?? record.instrument;
  const dataset_id = asked?.dataset_id ?? (asked?.metadata === undefined ? record.dataset_id : undefined);
  return {
    filename,
    size: source.sizeBytes,
    sha256: toHex(source.sha256 as Uint8Array),
    metadata,
    ...(instrument === null ? {} : { instrument }),
    ...(dataset_id === undefined ? {} : { dataset_id }),
    ...(await readHeader(context, source, filename)),
    // These bytes were accepted with a name of this type before.
    force: asked?.force ?? extensionOf(filename) === extensionOf(source.filename),
  };
}

/** The first bytes, where the name says that they are checked. */
async function readHeader(
  context: UploadContext,
  source: StoredFile,
  filename: string,
): Promise<Pick<InitRequest, 'header'>> {
  if ((!isMrcName(filename) && !isTiffName(filename)) || source.sizeBytes === 0) return {};
  const end = Math.min(NEEDED_HEADER_BYTES, source.sizeBytes) - 1;
  const bytes = await readContent(context, source, { start: 0, end });
  return { header: Buffer.concat((await bytes.toArray()) as Buffer[]).toString('base64') };
}

/** It has all of its bytes from the start, and no parts. */
function toCopyRow(context: UploadContext, source: StoredFile, row: UploadRow): UploadRow {
  const { part_size, part_count } = source.record;
  return {
    ...row,
    status: 'verifying',
    part_size,
    part_count,
    received_parts: part_count,
    received_bytes: source.sizeBytes,
    file_id: context.storage.uploads.fileIdOf(row.id) ?? context.newId(),
    copied_from: source.id,
  };
}
