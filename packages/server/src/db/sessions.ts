/** Rows of upload sessions. Every change of state is one guarded update; nobody reads first and writes later. */
import { OPEN_STATES, statesAllowing, transition, type UploadEvent, type UploadState } from '@cryolift/protocol/states';
import { type NotNull, sql } from 'kysely';
import type { Database } from './database.ts';
import { findUsage, insertFile } from './files.ts';
import { sumByLinks, UNUSED } from './links.ts';
import { sumReserved } from './reservations.ts';
import type { FileRow, LinkRow, UploadRow } from './tables.ts';

/** States in which a session's bytes are kept in the staging area. */
const STAGED_STATES: UploadState[] = ['pending', 'uploading', 'verifying', 'failed'];
/** States of sessions that have ended without a file, and hold no bytes. */
const GIVEN_UP_STATES: UploadState[] = ['cancelled', 'expired'];
/** Sessions that have ended without a file and are not forgotten yet: of an owner's tokens, and of a link. */
const MAX_ENDED = 20_000;
const MAX_ENDED_OF_LINK = 1_000;
/** What a link begins that names no number of its own. */
const MAX_FILES_OF_LINK = 100_000;
/** Idempotency keys that find the same session. */
const MAX_KEYS_OF_UPLOAD = 1_000;

export interface OpenRequest {
  row: UploadRow;
  /**
   * The metadata of a session that is found by its fingerprint, after this request; it may throw, and nothing is changed then.
   *
   * @param metadata as it is.
   */
  mergeMetadata(metadata: string): string;
  idempotency: { key: string; requestSha256: Uint8Array } | null;
  /** What the owner may hold in files and open sessions, bytes; null: no bound. */
  quotaBytes: number | null;
  /** Sessions that one owner may have open at the same time. */
  maxOpen: number;
  /** Files, and sessions that have not become files, that one owner may have. */
  maxFiles: number;
  /** That the row names as what it was begun with. */
  link: Pick<LinkRow, 'id' | 'max_bytes' | 'max_files'> | null;
  /** Sessions that expire at this time or before, ms since 1970, are not found by their fingerprint. */
  expiredBeforeMs: number;
  /** Free space of the storage, bytes, before what is reserved for open sessions. */
  freeBytes: number;
}

export type OpenOutcome =
  | { kind: 'opened'; row: UploadRow }
  | { kind: 'found'; row: UploadRow; isUpdated: boolean }
  | { kind: 'idempotency_conflict' }
  | { kind: 'quota_exceeded'; usedBytes: number }
  | { kind: 'too_many_open'; open: number }
  | { kind: 'too_many_files'; files: number }
  | { kind: 'too_many_ended'; ended: number }
  | { kind: 'too_many_keys' }
  | { kind: 'link_exceeded'; usedBytes: number; usedFiles: number }
  | { kind: 'no_space'; availableBytes: number };

/**
 * Opens an upload, or finds the one to resume.
 *
 * @param tx a transaction of its own, so that two that open at once agree.
 */
export async function openUploadRow(tx: Database, request: OpenRequest): Promise<OpenOutcome> {
  const { row, idempotency } = request;
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
  if (!found) {
    const files = await findUsage(tx, row.owner);
    const refused = refuseCount(request, files.files, await countUnpublished(tx, row.owner));
    if (refused) return refused;
    if (request.quotaBytes !== null) {
      const usedBytes = files.bytes + (await sumStaged(tx, row.owner));
      if (usedBytes + row.size > request.quotaBytes) return { kind: 'quota_exceeded', usedBytes };
    }
    if (request.link) {
      const { id, max_bytes, max_files } = request.link;
      const used = (await sumByLinks(tx, [id])).get(id) ?? UNUSED;
      const isOver =
        (max_bytes !== null && used.bytes + row.size > max_bytes) || used.files >= (max_files ?? MAX_FILES_OF_LINK);
      if (isOver) return { kind: 'link_exceeded', usedBytes: used.bytes, usedFiles: used.files };
    }
    const asker = { owner: row.owner, linkId: row.link_id };
    const reserved = await sumReserved(tx, asker, request.freeBytes, row.created_at);
    const availableBytes = Math.floor(request.freeBytes - reserved);
    if (row.size > availableBytes) return { kind: 'no_space', availableBytes };
    await tx.insertInto('uploads').values(row).execute();
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
  return found ? { kind: 'found', ...found } : { kind: 'opened', row };
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
  // A link goes on with its own, and nobody goes on with a link's.
  select = row.link_id === null ? select.where('link_id', 'is', null) : select.where('link_id', '=', row.link_id);
  const { sha256 } = row;
  // With another digest it is another file, whatever its fingerprint says.
  if (sha256) select = select.where((eb) => eb.or([eb('sha256', 'is', null), eb('sha256', '=', sha256)]));
  return await select.orderBy('id', 'desc').executeTakeFirst();
}

/** An upload that is found takes over metadata, and a whole-file digest that was not known before. */
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

/** An owner's sessions that have not become files, as long as they are kept. */
async function countUnpublished(db: Database, owner: string): Promise<UnpublishedCount[]> {
  return await db
    .selectFrom('uploads')
    .select(({ fn }) => ['status', 'link_id', fn.countAll<number>().as('count')])
    .where('owner', '=', owner)
    .where('status', 'in', [...STAGED_STATES, ...GIVEN_UP_STATES])
    .groupBy(['status', 'link_id'])
    .execute();
}

/** Rows are bounded, too: a session that is begun and given up takes no space but in the database. */
function refuseCount(request: OpenRequest, files: number, counts: readonly UnpublishedCount[]): OpenOutcome | null {
  const { row, maxOpen, maxFiles } = request;
  const sum = (is: (each: UnpublishedCount) => boolean) =>
    counts.filter(is).reduce((total, { count }) => total + Number(count), 0);
  const open = sum(({ status }) => OPEN_STATES.includes(status));
  if (open >= maxOpen) return { kind: 'too_many_open', open };
  const held = files + sum(() => true);
  if (held >= maxFiles) return { kind: 'too_many_files', files: held };
  // Of this link, or of the owner's tokens: a link does not use up what its owner may give up.
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

/** Bytes that an owner's files have and its live sessions will have. */
export async function sumHeld(db: Database, owner: string): Promise<number> {
  return (await findUsage(db, owner)).bytes + (await sumStaged(db, owner));
}

/** Bytes that an owner's live sessions will have. */
async function sumStaged(db: Database, owner: string): Promise<number> {
  const sessions = await db
    .selectFrom('uploads')
    .select((eb) => eb.fn.sum<number | null>('size').as('bytes'))
    .where('owner', '=', owner)
    .where('status', 'in', STAGED_STATES)
    .executeTakeFirst();
  return Number(sessions?.bytes ?? 0);
}

export async function findUploadRow(db: Database, id: string): Promise<UploadRow | undefined> {
  return await selectSession(db, id).executeTakeFirst();
}

export function selectSession(db: Database, id: string) {
  return db.selectFrom('uploads').selectAll().where('id', '=', id);
}

/** Newest first; `before` is the last id of the page before. @param owner null: everybody's. */
export async function listUploadRows(
  db: Database,
  owner: string | null,
  query: { status?: UploadState | undefined; linkId?: string | undefined; before?: string | undefined; limit: number },
): Promise<UploadRow[]> {
  let select = db.selectFrom('uploads').selectAll();
  if (owner !== null) select = select.where('owner', '=', owner);
  if (query.status) select = select.where('status', '=', query.status);
  if (query.linkId) select = select.where('link_id', '=', query.linkId);
  if (query.before) select = select.where('id', '<', query.before);
  return await select.orderBy('id', 'desc').limit(query.limit).execute();
}

export type Changes = Partial<Pick<UploadRow, 'file_id' | 'sha256' | 'failure' | 'expires_at' | 'mrc' | 'warnings'>>;

/**
 * Moves a session on by `event` if its state allows that at this moment.
 *
 * @returns the row after the change, or undefined when the state did not allow it (or there is no such session).
 */
export async function moveUploadRow(
  db: Database,
  id: string,
  event: UploadEvent,
  nowMs: number,
  changes: Changes = {},
): Promise<UploadRow | undefined> {
  const from = statesAllowing(event);
  const to = transition(from[0] as UploadState, event) as UploadState;
  let update = db
    .updateTable('uploads')
    .set({ ...changes, status: to, updated_at: nowMs })
    .where('id', '=', id)
    .where('status', 'in', from);
  // A part that came since the row was read has given the session more time.
  if (event === 'expire') update = update.where('expires_at', '<=', nowMs);
  // A digest that was declared since then is not replaced by another one.
  const { sha256 } = changes;
  if (sha256) update = update.where((eb) => eb.or([eb('sha256', 'is', null), eb('sha256', '=', sha256)]));
  return await update.returningAll().executeTakeFirst();
}

/**
 * Makes the file's record and ends its upload.
 *
 * @param tx a transaction. @returns the upload after that, or undefined when it was not `verifying`.
 */
export async function recordPublished(tx: Database, file: FileRow): Promise<UploadRow | undefined> {
  const moved = await moveUploadRow(tx, file.upload_id, 'published', file.created_at);
  if (moved) await insertFile(tx, file);
  return moved;
}

/** Sessions whose time is over, in the order of their ids, behind one. */
export async function listExpired(
  db: Database,
  { nowMs, after, limit }: { nowMs: number; after: string; limit: number },
): Promise<UploadRow[]> {
  return await db
    .selectFrom('uploads')
    .selectAll()
    .where('status', 'in', statesAllowing('expire'))
    .where('expires_at', '<=', nowMs)
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** Sessions whose bytes are kept in the staging area, by status. */
export async function countStaged(db: Database): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom('uploads')
    .select(({ fn }) => ['status', fn.countAll<number>().as('count')])
    .where('status', 'in', STAGED_STATES)
    .groupBy('status')
    .execute();
  const none = STAGED_STATES.map((status) => [status, 0] as const);
  return Object.fromEntries([...none, ...rows.map(({ status, count }) => [status, count] as const)]);
}

export async function listVerifying(db: Database): Promise<UploadRow[]> {
  return await db.selectFrom('uploads').selectAll().where('status', '=', 'verifying').execute();
}

/** Ids of the files that uploads are being made into: their bytes may lie in place before their records do. */
export async function listPublishingIds(db: Database): Promise<Set<string>> {
  const rows = await db
    .selectFrom('uploads')
    .select('file_id')
    .where('status', '=', 'verifying')
    .where('file_id', 'is not', null)
    .execute();
  return new Set(rows.map((row) => row.file_id as string));
}

export async function listToReverify(db: Database): Promise<string[]> {
  // As the index says it: SQLite does not take a parameter for it.
  const { rows } = await sql<{ id: string }>`select id from uploads where must_recheck = 1 order by id`.execute(db);
  return rows.map((row) => row.id);
}

/** Uploads that have ended otherwise after a publish was begun: `file_id` may be a folder that no record names. */
export async function listUnpublished(db: Database): Promise<{ id: string; file_id: string }[]> {
  return await db
    .selectFrom('uploads')
    .select(['id', 'file_id'])
    .where('status', 'in', ['cancelled', 'expired'])
    .where('file_id', 'is not', null)
    .$narrowType<{ file_id: NotNull }>()
    .execute();
}

/** There is nothing left under the file id of an upload that is no file. */
export async function forgetFileId(db: Database, id: string): Promise<void> {
  await db
    .updateTable('uploads')
    .set({ file_id: null })
    .where('id', '=', id)
    .where('status', 'in', ['cancelled', 'expired'])
    .execute();
}

/** Ids of sessions whose bytes belong in the staging area. */
export async function listStagedIds(db: Database): Promise<Set<string>> {
  const rows = await db.selectFrom('uploads').select('id').where('status', 'in', STAGED_STATES).execute();
  return new Set(rows.map((row) => row.id));
}

/**
 * Forgets sessions that ended before `endedBeforeMs`, with their parts and keys, and trials that have ended. Files stay, and
 * what a link that is there has begun: it counts.
 *
 * @param limit how many at most, so that no transaction is long. @returns how many.
 */
export async function purgeSessions(db: Database, endedBeforeMs: number, limit: number): Promise<number> {
  return await db.transaction().execute(async (tx) => {
    const ended = await tx
      .selectFrom('uploads')
      .select('id')
      .where('status', 'in', ['completed', 'cancelled', 'expired'])
      .where((eb) =>
        eb.or([
          eb('is_trial', '=', 1),
          eb.and([
            eb('updated_at', '<', endedBeforeMs),
            eb.or([eb('link_id', 'is', null), eb('link_id', 'not in', eb.selectFrom('links').select('id'))]),
          ]),
        ]),
      )
      .limit(limit)
      .execute();
    const ids = ended.map((row) => row.id);
    await deleteSessions(tx, ids);
    return ids.length;
  });
}

/** Forgets a trial that has ended, now. The sweep forgets those that are left. */
export async function forgetTrial(db: Database, id: string): Promise<void> {
  await db.transaction().execute(async (tx) => await deleteSessions(tx, [id]));
}

async function deleteSessions(tx: Database, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.deleteFrom('parts').where('upload_id', 'in', ids).execute();
  await tx.deleteFrom('idempotency_keys').where('upload_id', 'in', ids).execute();
  await tx.deleteFrom('uploads').where('id', 'in', ids).execute();
}
