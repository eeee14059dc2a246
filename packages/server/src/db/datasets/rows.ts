/** Rows of datasets. Every change of state is one guarded update. */
import {
  type DatasetEvent,
  type DatasetState,
  datasetAfter,
  datasetStatesAllowing,
} from '@cryolift/protocol/dataset-states';
import { type CompiledQuery, sql } from 'kysely';
import type { Database } from '../database.ts';
import { dialectOf } from '../dialect.ts';
import type { DatasetRow, FileRow } from '../tables.ts';

/** @returns false when the owner has one of this name, which is not being deleted. */
export async function insertDataset(db: Database, row: DatasetRow): Promise<boolean> {
  const inserted = await db
    .insertInto('datasets')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return Number(inserted.numInsertedOrUpdatedRows) > 0;
}

export async function findDataset(db: Database, id: string): Promise<DatasetRow | undefined> {
  return await selectLive(db).where('id', '=', id).executeTakeFirst();
}

/** Also one that is being deleted. */
export async function findAnyDataset(db: Database, id: string): Promise<DatasetRow | undefined> {
  return await db.selectFrom('datasets').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function findDatasetNamed(db: Database, owner: string, name: string): Promise<DatasetRow | undefined> {
  return await selectLive(db).where('owner', '=', owner).where('name', '=', name).executeTakeFirst();
}

/** As `findDataset`, and locks the row until the transaction ends: no file arrives, and none is deleted. */
export async function lockDataset(tx: Database, id: string): Promise<DatasetRow | undefined> {
  return await dialectOf(tx)
    .lockRows(selectLive(tx).where('id', '=', id))
    .executeTakeFirst();
}

function selectLive(db: Database) {
  return db.selectFrom('datasets').selectAll().where('deleted_at', 'is', null);
}

export async function countDatasets(db: Database, owner: string): Promise<number> {
  const { count } = await db
    .selectFrom('datasets')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('owner', '=', owner)
    .where('deleted_at', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(count);
}

export interface DatasetSearch {
  readonly owner: string;
  /** As `foldText` makes them; each is in the text. */
  readonly words: readonly string[];
  /** Exactly this one. */
  readonly name: string | null;
  readonly state: DatasetState | null;
}

/** @param after the id or the name of the last one of the page before. */
export async function listDatasets(
  db: Database,
  search: DatasetSearch,
  { sort, after, limit }: { sort: 'created_at' | 'name'; after: string | null; limit: number },
): Promise<DatasetRow[]> {
  let select = matching(db, search).selectAll();
  if (sort === 'name') {
    if (after !== null) select = select.where('name', '>', after);
    return await select.orderBy('name').limit(limit).execute();
  }
  if (after !== null) select = select.where('id', '<', after);
  return await select.orderBy('id', 'desc').limit(limit).execute();
}

export async function countMatching(db: Database, search: DatasetSearch): Promise<number> {
  const { count } = await matching(db, search)
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

function matching(db: Database, { owner, words, name, state }: DatasetSearch) {
  let select = db.selectFrom('datasets').where('owner', '=', owner).where('deleted_at', 'is', null);
  if (name !== null) select = select.where('name', '=', name);
  if (state !== null) select = select.where('state', '=', state);
  for (const word of words) select = select.where(dialectOf(db).library.contains(sql.ref('text'), word));
  return select;
}

export type DatasetFields = Partial<
  Pick<
    DatasetRow,
    | 'name'
    | 'project'
    | 'instrument'
    | 'fields'
    | 'text'
    | 'expected_files'
    | 'complete_when_whole'
    | 'quota_bytes'
    | 'retention_ms'
    | 'warn_ms'
    | 'expires_at'
    | 'warn_at'
    | 'silent_after_ms'
    | 'silent_at'
  >
>;

/** For use inside a transaction that has locked the row. */
export async function changeDataset(
  tx: Database,
  id: string,
  changes: DatasetFields,
  nowMs: number,
): Promise<DatasetRow | undefined> {
  return await tx
    .updateTable('datasets')
    .set({ ...changes, updated_at: nowMs })
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
}

type Moved = Partial<
  Pick<
    DatasetRow,
    | 'completed_at'
    | 'released_at'
    | 'expires_at'
    | 'warn_at'
    | 'forced'
    | 'complete_when_whole'
    | 'opened_at'
    | 'silent_at'
  >
>;

/** @returns the row after the change; undefined when the state did not allow it, or it is being deleted. */
export async function moveDataset(
  db: Database,
  id: string,
  event: DatasetEvent,
  changes: Moved,
  nowMs: number,
): Promise<DatasetRow | undefined> {
  const from = datasetStatesAllowing(event);
  let update = db
    .updateTable('datasets')
    .set({ ...changes, state: datasetAfter(from[0] as DatasetState, event) as DatasetState, updated_at: nowMs })
    .where('id', '=', id)
    .where('state', 'in', from)
    .where('deleted_at', 'is', null);
  // Its retention may have been changed since it was read.
  if (event === 'expire') update = update.where('expires_at', '<=', nowMs).where('warn_at', 'is', null);
  return await update.returningAll().executeTakeFirst();
}

/** From here on no caller can see it; its files are deleted next. @returns undefined when it was deleted already. */
export async function markDatasetDeleted(tx: Database, id: string, nowMs: number): Promise<DatasetRow | undefined> {
  return await tx
    .updateTable('datasets')
    .set({ deleted_at: nowMs })
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
}

/** Those whose owners are to be warned that they expire. */
export async function listToWarn(db: Database, nowMs: number, limit: number): Promise<Pick<DatasetRow, 'id'>[]> {
  return await db
    .selectFrom('datasets')
    .select('id')
    .where('warn_at', '<=', nowMs)
    .where('state', 'in', datasetStatesAllowing('expire'))
    .where('deleted_at', 'is', null)
    .orderBy('warn_at')
    .limit(limit)
    .execute();
}

/** @returns undefined when the warning was emitted meanwhile, or is not due any more. */
export async function markWarned(tx: Database, id: string, nowMs: number): Promise<DatasetRow | undefined> {
  return await tx
    .updateTable('datasets')
    .set({ warn_at: null })
    .where('id', '=', id)
    .where('warn_at', '<=', nowMs)
    .where('state', 'in', datasetStatesAllowing('expire'))
    .where('deleted_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
}

/** Those whose retention is over, after the warning. */
export async function listDueDatasets(db: Database, nowMs: number, limit: number): Promise<DatasetRow[]> {
  return await selectLive(db)
    .where('state', 'in', datasetStatesAllowing('expire'))
    .where('expires_at', '<=', nowMs)
    .where('warn_at', 'is', null)
    // Nothing is deleted without the receipt of the completion.
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('receipts')
          .select('receipts.id')
          .whereRef('receipts.dataset_id', '=', 'datasets.id')
          .whereRef('receipts.completed_at', '=', 'datasets.completed_at'),
      ),
    )
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** The update that adds a new file to the sums of its dataset, for a unit that publishes it. */
export function arrivalUpdate(db: Database, file: FileRow): CompiledQuery[] {
  if (file.dataset_id === null) return [];
  const update = db
    .updateTable('datasets')
    .set(({ eb, fn }) => ({
      files: eb('files', '+', 1),
      bytes: eb('bytes', '+', file.size),
      first_arrival_at: fn.coalesce('first_arrival_at', eb.val(file.created_at)),
      last_arrival_at: file.created_at,
      silent_at: null,
    }))
    .where('id', '=', file.dataset_id);
  return [update.compile()];
}

/** For use inside the transaction that marks the files as deleted. */
export async function subtractDeleted(tx: Database, files: readonly FileRow[]): Promise<void> {
  const byDataset = Map.groupBy(files, ({ dataset_id }) => dataset_id);
  for (const [id, each] of [...byDataset].sort(([a], [b]) => ((a ?? '') < (b ?? '') ? -1 : 1))) {
    if (id === null) continue;
    const bytes = each.reduce((sum, { size }) => sum + size, 0);
    await tx
      .updateTable('datasets')
      .set(({ eb }) => ({ files: eb('files', '-', each.length), bytes: eb('bytes', '-', bytes) }))
      .where('id', '=', id)
      .execute();
  }
}
