/** Starts an upload, or finds the one to resume. All limits of an init are checked in one transaction. */
import { OPEN_STATES, type UploadState } from '@cryolift/protocol/states';
import type { Database } from '../database.ts';
import {
  type DatasetRefusal,
  makeDataset,
  type RequestedDataset,
  refuseDataset,
  resolveDataset,
} from '../datasets/opening.ts';
import { dialectOf } from '../dialect.ts';
import { findUsage } from '../files.ts';
import type { DatasetRow, LinkRow, UploadRow } from '../tables.ts';
import { sumByLinks, UNUSED } from './links.ts';
import { sumReserved } from './reservations.ts';
import { findUploadRow, STAGED_STATES, sumStaged } from './uploads.ts';

/** States of uploads that have ended without a file and have no bytes. */
const GIVEN_UP_STATES: UploadState[] = ['cancelled', 'expired'];
export const UNPUBLISHED_STATES: UploadState[] = [...STAGED_STATES, ...GIVEN_UP_STATES];
/** Limits of ended uploads without a file whose rows still exist: of an owner's tokens, and of a link. */
export const MAX_ENDED = 20_000;
const MAX_ENDED_OF_LINK = 1_000;
/** Number of files for a link without its own limit. */
const MAX_FILES_OF_LINK = 100_000;
/** Idempotency keys of one upload. */
const MAX_KEYS_OF_UPLOAD = 1_000;

export interface OpenRequest {
  row: UploadRow;
  /**
   * The metadata of an upload that is found by its fingerprint, after this request. It may throw; then nothing is
   * changed.
   *
   * @param metadata the current one.
   */
  mergeMetadata(metadata: string): string;
  idempotency: { key: string; requestSha256: Uint8Array } | null;
  /** Quota of the owner for files and open uploads, bytes; null: no limit. */
  quotaBytes: number | null;
  /** Maximum of open uploads of one owner. */
  maxOpen: number;
  /** Maximum of files, and uploads that are not published, of one owner. */
  maxFiles: number;
  /** Bytes of the upload that are counted already, as those of its partial uploads. */
  countedBytes: number;
  /** The link with which the upload is started, for its row. */
  link: Pick<LinkRow, 'id' | 'max_bytes' | 'max_files'> | null;
  /** The dataset that the upload belongs to; null: none. */
  dataset: RequestedDataset | null;
  /** Uploads that expire at this time or before, ms since 1970, are not found by their fingerprint. */
  expiredBeforeMs: number;
  /** Free space of the storage, bytes, before the reservations of open uploads. */
  freeBytes: number;
}

export type OpenOutcome =
  | { kind: 'opened'; row: UploadRow; madeDataset: DatasetRow | null }
  | { kind: 'found'; row: UploadRow; isUpdated: boolean }
  | { kind: 'idempotency_conflict' }
  | { kind: 'too_many_keys' }
  | Refusal;

/** A limit that a new upload exceeds. */
export type Refusal =
  | DatasetRefusal
  | { kind: 'quota_exceeded'; usedBytes: number }
  | { kind: 'too_many_open'; open: number }
  | { kind: 'too_many_files'; files: number }
  | { kind: 'too_many_ended'; ended: number }
  | { kind: 'link_exceeded'; usedBytes: number; usedFiles: number }
  | { kind: 'no_space'; availableBytes: number };

/**
 * Starts an upload, or finds the one to resume.
 *
 * @param tx a separate transaction, so that concurrent inits agree.
 */
export async function openUploadRow(tx: Database, asked: OpenRequest): Promise<OpenOutcome> {
  const { idempotency } = asked;
  const dialect = dialectOf(tx);
  await dialect.lock(tx, { owner: asked.row.owner });
  if (Number.isFinite(asked.freeBytes)) await dialect.lock(tx, 'space');
  const dataset = asked.dataset && ((await resolveDataset(tx, asked.row.owner, asked.dataset)) ?? null);
  const row = { ...asked.row, dataset_id: dataset?.id ?? null };
  const request = { ...asked, row };
  if (idempotency) {
    const used = await tx
      .selectFrom('idempotency_keys')
      .selectAll()
      .where('owner', '=', row.owner)
      .where('key', '=', idempotency.key)
      .executeTakeFirst();
    if (used && Buffer.compare(used.request_sha256, idempotency.requestSha256) !== 0) {
      return { kind: 'idempotency_conflict' };
    }
    const first = used && (await findUploadRow(tx, used.upload_id));
    if (first) return { kind: 'found', row: first, isUpdated: false };
  }
  const match = row.fingerprint === null ? undefined : await findByFingerprint(tx, request);
  if (match && idempotency && (await countKeys(tx, match.id)) >= MAX_KEYS_OF_UPLOAD) return { kind: 'too_many_keys' };
  const found = match && (await adopt(tx, match, request));
  let madeDataset: DatasetRow | null = null;
  if (!found) {
    if (asked.dataset && !dataset) return { kind: 'dataset_not_found' };
    const limits = await refuseUpload(tx, request, dataset);
    if (limits.refused) return limits.refused;
    madeDataset = limits.madeDataset;
    await insertUploadRow(tx, row, madeDataset);
  }
  if (idempotency) {
    await tx
      .insertInto('idempotency_keys')
      .values({
        owner: row.owner,
        key: idempotency.key,
        request_sha256: idempotency.requestSha256,
        upload_id: found?.row.id ?? row.id,
        created_at: row.created_at,
      })
      .execute();
  }
  return found ? { kind: 'found', ...found } : { kind: 'opened', row, madeDataset };
}

/**
 * Checks all limits of a new upload.
 *
 * @param dataset that it belongs to, or its draft; null: none.
 * @returns the dataset that has to be made for it; null: none.
 */
export async function refuseUpload(
  tx: Database,
  request: OpenRequest,
  dataset: DatasetRow | null,
): Promise<{ refused: Refusal | null; madeDataset: DatasetRow | null }> {
  const isNew = dataset !== null && dataset === request.dataset?.draft;
  const madeDataset = isNew ? dataset : null;
  const newBytes = request.row.size - request.countedBytes;
  const closed = dataset && (await refuseDataset(tx, dataset, isNew, newBytes));
  return { refused: closed ?? (await findRefusal(tx, request, newBytes)), madeDataset };
}

async function findRefusal(tx: Database, request: OpenRequest, newBytes: number): Promise<Refusal | null> {
  const { row } = request;
  const files = await findUsage(tx, row.owner);
  const refused = refuseCount(request, files.files, await countUnpublished(tx, row.owner));
  if (refused) return refused;
  if (request.quotaBytes !== null) {
    const usedBytes = files.bytes + (await sumStaged(tx, row.owner));
    if (usedBytes + newBytes > request.quotaBytes) return { kind: 'quota_exceeded', usedBytes };
  }
  if (request.link) {
    const { id, max_bytes, max_files } = request.link;
    const used = (await sumByLinks(tx, [id])).get(id) ?? UNUSED;
    const isOver =
      (max_bytes !== null && used.bytes + newBytes > max_bytes) || used.files >= (max_files ?? MAX_FILES_OF_LINK);
    if (isOver) return { kind: 'link_exceeded', usedBytes: used.bytes, usedFiles: used.files };
  }
  const asker = { owner: row.owner, linkId: row.link_id };
  const reserved = await sumReserved(tx, asker, request.freeBytes, row.created_at);
  const availableBytes = Math.floor(request.freeBytes - reserved);
  return newBytes > availableBytes ? { kind: 'no_space', availableBytes } : null;
}

/** @param madeDataset that it belongs to and that is made with it; null: none. */
export async function insertUploadRow(tx: Database, row: UploadRow, madeDataset: DatasetRow | null): Promise<void> {
  if (madeDataset) await makeDataset(tx, madeDataset);
  await tx.insertInto('uploads').values(row).execute();
}

/** The open upload of the same local file. */
async function findByFingerprint(db: Database, { row, expiredBeforeMs }: OpenRequest): Promise<UploadRow | undefined> {
  let select = db
    .selectFrom('uploads')
    .selectAll()
    .where('owner', '=', row.owner)
    .where('fingerprint', '=', row.fingerprint)
    .where('size', '=', row.size)
    .where('status', 'in', OPEN_STATES)
    .where('expires_at', '>', expiredBeforeMs);
  select = select.where('is_trial', '=', row.is_trial);
  // A link resumes only its own uploads, and these are resumed only by the link.
  select = row.link_id === null ? select.where('link_id', 'is', null) : select.where('link_id', '=', row.link_id);
  if (row.dataset_id !== null) select = select.where('dataset_id', '=', row.dataset_id);
  const { sha256 } = row;
  // With another digest it is another file, even with the same fingerprint.
  if (sha256) select = select.where((eb) => eb.or([eb('sha256', 'is', null), eb('sha256', '=', sha256)]));
  return await select.orderBy('id', 'desc').executeTakeFirst();
}

/** Updates a found upload with the metadata, and with a whole-file digest that was not known. */
async function adopt(
  db: Database,
  found: UploadRow,
  { row, mergeMetadata }: OpenRequest,
): Promise<{ row: UploadRow; isUpdated: boolean }> {
  const { sha256 } = row;
  const metadata = mergeMetadata(found.metadata);
  const isUpdated = metadata !== found.metadata;
  if (!isUpdated && (found.sha256 || !sha256)) return { row: found, isUpdated };
  const changes = { sha256: found.sha256 ?? sha256, metadata, ...(isUpdated ? { updated_at: row.created_at } : {}) };
  await db.updateTable('uploads').set(changes).where('id', '=', found.id).execute();
  const changed = { ...found, ...changes };
  return { row: changed, isUpdated };
}

interface UnpublishedCount {
  status: UploadState;
  link_id: string | null;
  count: number;
}

/** The uploads of an owner without a file whose rows exist. */
export async function countUnpublished(db: Database, owner: string): Promise<UnpublishedCount[]> {
  return await db
    .selectFrom('uploads')
    .select(({ fn }) => ['status', 'link_id', fn.countAll<number>().as('count')])
    .where('owner', '=', owner)
    .where('status', 'in', UNPUBLISHED_STATES)
    .where('is_counted', '=', 1)
    .groupBy(['status', 'link_id'])
    .execute();
}

/** Limits rows: an abandoned upload uses space only in the database. */
function refuseCount(request: OpenRequest, files: number, counts: readonly UnpublishedCount[]): Refusal | null {
  const { row, maxOpen, maxFiles } = request;
  const sum = (is: (each: UnpublishedCount) => boolean) =>
    counts.filter(is).reduce((total, { count }) => total + Number(count), 0);
  const open = sum(({ status }) => OPEN_STATES.includes(status));
  if (open >= maxOpen) return { kind: 'too_many_open', open };
  const held = files + sum(() => true);
  if (held >= maxFiles) return { kind: 'too_many_files', files: held };
  // Counted per link, or for the owner's tokens: a link cannot use up the limit of its owner.
  const ended = sum(({ status, link_id }) => link_id === row.link_id && !OPEN_STATES.includes(status));
  return ended >= (row.link_id === null ? MAX_ENDED : MAX_ENDED_OF_LINK) ? { kind: 'too_many_ended', ended } : null;
}

async function countKeys(db: Database, uploadId: string): Promise<number> {
  const { keys } = await db
    .selectFrom('idempotency_keys')
    .select(({ fn }) => fn.countAll<number>().as('keys'))
    .where('upload_id', '=', uploadId)
    .executeTakeFirstOrThrow();
  return Number(keys);
}
