/** Rows of uploads. Every change of state is one guarded update; no value is read first and written later. */
import {
  ENDED_STATES,
  OPEN_STATES,
  statesAllowing,
  transition,
  type UploadEvent,
  type UploadState,
} from '@cryolift/protocol/states';
import { type NotNull, sql } from 'kysely';
import type { Database } from '../database.ts';
import type { GuardedStep } from '../dialect.ts';
import { findUsage, insertFile } from '../files.ts';
import type { FileRow, UploadRow } from '../tables.ts';

/** States in which the bytes of an upload are staged. */
export const STAGED_STATES: UploadState[] = ['pending', 'uploading', 'verifying', 'failed'];
/** Bytes of an owner's files and live uploads. */
export async function sumHeld(db: Database, owner: string): Promise<number> {
  return (await findUsage(db, owner)).bytes + (await sumStaged(db, owner));
}

/** Bytes of an owner's live uploads. */
export async function sumStaged(db: Database, owner: string): Promise<number> {
  const uploads = await db
    .selectFrom('uploads')
    .select((eb) => eb.fn.sum<number | null>('size').as('bytes'))
    .where('owner', '=', owner)
    .where('status', 'in', STAGED_STATES)
    .where('is_counted', '=', 1)
    .executeTakeFirst();
  return Number(uploads?.bytes ?? 0);
}

export async function findUploadRow(db: Database, id: string): Promise<UploadRow | undefined> {
  return await selectUpload(db, id).executeTakeFirst();
}

export function selectUpload(db: Database, id: string) {
  return db.selectFrom('uploads').selectAll().where('id', '=', id);
}

/**
 * Newest first, without the parts of later concatenations; `before` is the last id of the previous page.
 *
 * @param owner null: all owners.
 */
export async function listUploadRows(
  db: Database,
  owner: string | null,
  query: { status?: UploadState | undefined; linkId?: string | undefined; before?: string | undefined; limit: number },
): Promise<UploadRow[]> {
  let select = db.selectFrom('uploads').selectAll().where('is_partial', '=', 0);
  if (owner !== null) select = select.where('owner', '=', owner);
  if (query.status) select = select.where('status', '=', query.status);
  if (query.linkId) select = select.where('link_id', '=', query.linkId);
  if (query.before) select = select.where('id', '<', query.before);
  return await select.orderBy('id', 'desc').limit(query.limit).execute();
}

/** How far uploads are: these, and those of these owners that take parts. */
export async function listProgress(
  db: Database,
  ids: readonly string[],
  owners: readonly string[],
): Promise<Pick<UploadRow, 'id' | 'owner' | 'received_parts'>[]> {
  const select = () => db.selectFrom('uploads').select(['id', 'owner', 'received_parts']);
  const named = ids.length > 0 ? await select().where('id', 'in', ids).execute() : [];
  if (owners.length === 0) return named;
  const owned = await select().where('owner', 'in', owners).where('status', 'in', OPEN_STATES).execute();
  return [...named, ...owned];
}

export type Changes = Partial<
  Pick<UploadRow, 'file_id' | 'sha256' | 'failure' | 'expires_at' | 'mrc' | 'warnings' | 'is_counted'>
>;

/**
 * Changes the state of an upload by `event` if its current state allows that.
 *
 * @returns the row after the change, or undefined when the state did not allow it (or the upload does not exist).
 */
export async function moveUploadRow(
  db: Database,
  id: string,
  event: UploadEvent,
  nowMs: number,
  changes: Changes = {},
): Promise<UploadRow | undefined> {
  return await stateUpdate(db, id, event, nowMs, changes).returningAll().executeTakeFirst();
}

function stateUpdate(db: Database, id: string, event: UploadEvent, nowMs: number, changes: Changes) {
  const from = statesAllowing(event);
  let update = db
    .updateTable('uploads')
    .set({ ...changes, status: stateAfter(event), updated_at: nowMs })
    .where('id', '=', id)
    .where('status', 'in', from);
  // A part that arrived since the row was read has extended the upload.
  if (event === 'expire') update = update.where('expires_at', '<=', nowMs);
  // A digest that was declared meanwhile is not replaced.
  const { sha256 } = changes;
  if (sha256) update = update.where((eb) => eb.or([eb('sha256', 'is', null), eb('sha256', '=', sha256)]));
  return update;
}

function stateAfter(event: UploadEvent): UploadState {
  return transition(statesAllowing(event)[0] as UploadState, event) as UploadState;
}

/**
 * As `moveUploadRow`, for a row that was read before, as a step of a unit. It touches no row when what is shown of the
 * upload has changed since.
 *
 * @returns the step, and the row after it.
 */
export function moveSeenRow(
  db: Database,
  seen: UploadRow,
  event: UploadEvent,
  nowMs: number,
  changes: Changes = {},
): { step: GuardedStep; row: UploadRow } {
  const { sha256 } = seen;
  const write = stateUpdate(db, seen.id, event, nowMs, changes)
    .where('status', '=', seen.status)
    .where('received_parts', '=', seen.received_parts)
    .where('updated_at', '=', seen.updated_at)
    .where('metadata', '=', seen.metadata)
    .where('sha256', sha256 === null ? 'is' : '=', sha256);
  const step = { write: write.compile(), otherwise: selectUpload(db, seen.id).compile() };
  return { step, row: { ...seen, ...changes, status: stateAfter(event), updated_at: nowMs } };
}

/**
 * Inserts the record of the file and completes its upload.
 *
 * @param tx a transaction. @returns the upload after that, or undefined when it was not `verifying`.
 */
export async function recordPublished(tx: Database, file: FileRow): Promise<UploadRow | undefined> {
  const moved = await moveUploadRow(tx, file.upload_id, 'published', file.created_at);
  if (moved) await insertFile(tx, file);
  return moved;
}

/** Expired uploads in the order of their ids, after one. */
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

/** Number of uploads with staged bytes, by status. */
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

/** Uploads that failed since then, the last first. */
export async function listFailed(db: Database, sinceMs: number, limit: number): Promise<UploadRow[]> {
  const select = db.selectFrom('uploads').selectAll().where('status', '=', 'failed').where('updated_at', '>=', sinceMs);
  return await select.orderBy('updated_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
}

export async function countFailed(db: Database, sinceMs: number): Promise<number> {
  const { count } = await db
    .selectFrom('uploads')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('status', '=', 'failed')
    .where('updated_at', '>=', sinceMs)
    .executeTakeFirstOrThrow();
  return Number(count);
}

export async function listVerifying(db: Database): Promise<UploadRow[]> {
  return await db.selectFrom('uploads').selectAll().where('status', '=', 'verifying').execute();
}

/** File ids of uploads in completion: their bytes may be in place before their records. */
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
  // A literal, as in the partial index: SQLite does not use the index with a parameter.
  const { rows } = await sql<{ id: string }>`select id from uploads where must_recheck = 1 order by id`.execute(db);
  return rows.map((row) => row.id);
}

/** Uploads that ended without a file after a publish was started: `file_id` may be a folder without a record. */
export async function listUnpublished(db: Database): Promise<{ id: string; file_id: string }[]> {
  return await db
    .selectFrom('uploads')
    .select(['id', 'file_id'])
    .where('status', 'in', ['cancelled', 'expired'])
    .where('file_id', 'is not', null)
    .$narrowType<{ file_id: NotNull }>()
    .execute();
}

/** Uploads that failed after their parts were assembled, and copies: there may be bytes under `file_id`. */
export async function listFailedAssembled(db: Database): Promise<UploadRow[]> {
  return await db
    .selectFrom('uploads')
    .selectAll()
    .where('status', '=', 'failed')
    .where('file_id', 'is not', null)
    .orderBy('id')
    .execute();
}

/** Records that no bytes are left under the file id of an unpublished upload. */
export async function forgetFileId(db: Database, id: string): Promise<void> {
  await db
    .updateTable('uploads')
    .set({ file_id: null })
    .where('id', '=', id)
    .where('status', 'in', ENDED_STATES)
    .execute();
}

/** Sessions whose bytes belong in the staging area, with what the storage finds them by. */
export async function listStagedRefs(db: Database): Promise<Map<string, string | null>> {
  const rows = await db
    .selectFrom('uploads')
    .select(['id', 'storage_ref'])
    .where('status', 'in', STAGED_STATES)
    .execute();
  return new Map(rows.map((row) => [row.id, row.storage_ref]));
}

/** The header of an MRC file was read again, as it is stored. */
export async function replaceHeader(
  db: Database,
  id: string,
  { mrc, warnings }: Pick<UploadRow, 'mrc' | 'warnings'>,
): Promise<void> {
  await db.updateTable('uploads').set({ mrc, warnings }).where('id', '=', id).execute();
}

/**
 * Puts `ref` in the place of `row.storage_ref`, unless another server did so first or the session has ended.
 *
 * @returns whether it did.
 */
export async function replaceStorageRef(
  db: Database,
  row: Pick<UploadRow, 'id' | 'storage_ref'>,
  ref: string,
): Promise<boolean> {
  const replaced = await db
    .updateTable('uploads')
    .set({ storage_ref: ref })
    .where('id', '=', row.id)
    .where('storage_ref', row.storage_ref === null ? 'is' : '=', row.storage_ref)
    .where('status', 'in', STAGED_STATES)
    .executeTakeFirst();
  return replaced.numUpdatedRows > 0n;
}
