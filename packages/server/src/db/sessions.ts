/** Rows of upload sessions. Every change of state is one guarded update; nobody reads first and writes later. */
import { OPEN_STATES, statesAllowing, transition, type UploadEvent, type UploadState } from '@cryolift/protocol/states';
import { type NotNull, sql } from 'kysely';
import type { Database } from './database.ts';
import { sumByLink } from './links.ts';
import type { FileRow, LinkRow, UploadRow } from './tables.ts';

/** States in which a session's bytes are kept in the staging area. */
const STAGED_STATES: UploadState[] = ['pending', 'uploading', 'verifying', 'failed'];

/** Writes down what is to be told of a change, in the transaction of the change. */
export type Tell = (tx: Database, row: UploadRow) => Promise<void>;

export interface OpenRequest {
  row: UploadRow;
  /** Of a session that is opened, not of one that is found. */
  tell: Tell;
  /**
   * The metadata of a session that is found by its fingerprint, after this request; it may throw, and nothing is changed then.
   *
   * @param metadata as it is.
   */
  mergeMetadata(metadata: string): string;
  /** Of a session whose metadata this request has changed. */
  tellUpdated: Tell;
  idempotency: { key: string; requestSha256: Uint8Array } | null;
  /** What the owner may hold in files and open sessions, bytes; null: no bound. */
  quotaBytes: number | null;
  /** Sessions that one owner may have open at the same time. */
  maxOpen: number;
  /** That the row names as what it was begun with. */
  link: LinkRow | null;
  /** Sessions that expire at this time or before, ms since 1970, are not found by their fingerprint. */
  expiredBeforeMs: number;
  /** Free space of the storage, bytes, before what open sessions may still write. */
  freeBytes: number;
}

export type OpenOutcome =
  | { kind: 'opened'; row: UploadRow }
  | { kind: 'found'; row: UploadRow; isUpdated: boolean }
  | { kind: 'idempotency_conflict' }
  | { kind: 'quota_exceeded'; usedBytes: number }
  | { kind: 'too_many_open'; open: number }
  | { kind: 'link_exceeded'; usedBytes: number; usedFiles: number }
  | { kind: 'no_space'; availableBytes: number };

/** Opens a session or finds the one to resume: judged and written in one transaction, so that two at once agree. */
export async function openSession(db: Database, request: OpenRequest): Promise<OpenOutcome> {
  const { row, idempotency } = request;
  return await db.transaction().execute(async (tx): Promise<OpenOutcome> => {
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
      const first = used && (await findSession(tx, used.upload_id));
      if (first) return { kind: 'found', row: first, isUpdated: false };
    }
    const found = row.fingerprint === null ? undefined : await adoptByFingerprint(tx, request);
    if (!found) {
      const open = await countOpenOf(tx, row.owner);
      if (open >= request.maxOpen) return { kind: 'too_many_open', open };
      if (request.quotaBytes !== null) {
        const usedBytes = await sumHeld(tx, row.owner);
        if (usedBytes + row.size > request.quotaBytes) return { kind: 'quota_exceeded', usedBytes };
      }
      if (request.link) {
        const { id, max_bytes, max_files } = request.link;
        const used = await sumByLink(tx, id);
        const isOver =
          (max_bytes !== null && used.bytes + row.size > max_bytes) || (max_files !== null && used.files >= max_files);
        if (isOver) return { kind: 'link_exceeded', usedBytes: used.bytes, usedFiles: used.files };
      }
      const availableBytes = request.freeBytes - (await sumOutstanding(tx));
      if (row.size > availableBytes) return { kind: 'no_space', availableBytes };
      await tx.insertInto('uploads').values(row).execute();
      await request.tell(tx, row);
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
  });
}

/** The open session of the same local file; it takes over a whole-file digest that was not known before, and metadata. */
async function adoptByFingerprint(
  db: Database,
  { row, expiredBeforeMs, mergeMetadata, tellUpdated }: OpenRequest,
): Promise<{ row: UploadRow; isUpdated: boolean } | undefined> {
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
  const found = await select.orderBy('id', 'desc').executeTakeFirst();
  if (!found) return undefined;
  const metadata = mergeMetadata(found.metadata);
  const isUpdated = metadata !== found.metadata;
  if (!isUpdated && (found.sha256 || !sha256)) return { row: found, isUpdated };
  const changes = { sha256: found.sha256 ?? sha256, metadata, ...(isUpdated ? { updated_at: row.created_at } : {}) };
  await db.updateTable('uploads').set(changes).where('id', '=', found.id).execute();
  const changed = { ...found, ...changes };
  if (isUpdated) await tellUpdated(db, changed);
  return { row: changed, isUpdated };
}

async function countOpenOf(db: Database, owner: string): Promise<number> {
  const { open } = await db
    .selectFrom('uploads')
    .select(({ fn }) => fn.countAll<number>().as('open'))
    .where('owner', '=', owner)
    .where('status', 'in', OPEN_STATES)
    .executeTakeFirstOrThrow();
  return Number(open);
}

/** Bytes that an owner's files have and its live sessions will have. */
export async function sumHeld(db: Database, owner: string): Promise<number> {
  const files = await db
    .selectFrom('files')
    .select((eb) => eb.fn.sum<number | null>('size').as('bytes'))
    .where('owner', '=', owner)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  const sessions = await db
    .selectFrom('uploads')
    .select((eb) => eb.fn.sum<number | null>('size').as('bytes'))
    .where('owner', '=', owner)
    .where('status', 'in', STAGED_STATES)
    .executeTakeFirst();
  return Number(files?.bytes ?? 0) + Number(sessions?.bytes ?? 0);
}

/** Bytes that open sessions were promised and have not sent yet: sparse files take their space only as they fill. */
async function sumOutstanding(db: Database): Promise<number> {
  const open = await db
    .selectFrom('uploads')
    .select(sql<number | null>`sum(size - received_bytes)`.as('bytes'))
    .where('status', 'in', OPEN_STATES)
    .executeTakeFirst();
  return Number(open?.bytes ?? 0);
}

export async function findSession(db: Database, id: string): Promise<UploadRow | undefined> {
  return await selectSession(db, id).executeTakeFirst();
}

export function selectSession(db: Database, id: string) {
  return db.selectFrom('uploads').selectAll().where('id', '=', id);
}

/** Newest first; `before` is the last id of the page before. @param owner null: everybody's. */
export async function listSessions(
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
export async function moveSession(
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
  return await update.returningAll().executeTakeFirst();
}

/** Makes the file's record and ends its session, in one transaction. False when the session was not `verifying`. */
export async function recordPublished(db: Database, file: FileRow, tell: Tell): Promise<boolean> {
  return await db.transaction().execute(async (tx) => {
    const moved = await moveSession(tx, file.upload_id, 'published', file.created_at);
    if (!moved) return false;
    await tx.insertInto('files').values(file).execute();
    await tell(tx, moved);
    return true;
  });
}

/** Sessions whose time is over; `status` picks which kinds. */
export async function listExpired(db: Database, nowMs: number, limit: number): Promise<UploadRow[]> {
  return await db
    .selectFrom('uploads')
    .selectAll()
    .where('status', 'in', statesAllowing('expire'))
    .where('expires_at', '<=', nowMs)
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

export async function listToRecheck(db: Database): Promise<string[]> {
  const rows = await db.selectFrom('uploads').select('id').where('must_recheck', '=', 1).orderBy('id').execute();
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
