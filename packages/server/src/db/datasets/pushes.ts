/** Rows of pushes. Every change of state is one guarded update. */
import type { PushState } from '@cryolift/protocol/messages';
import type { Database } from '../database.ts';
import type { PushRow } from '../tables.ts';

/** States of a push that a job works on. */
export const LIVE_PUSHES: readonly PushState[] = ['waiting', 'running'];

export async function insertPush(tx: Database, row: PushRow): Promise<void> {
  await tx.insertInto('pushes').values(row).execute();
}

export async function findPush(db: Database, id: string): Promise<PushRow | undefined> {
  return await db.selectFrom('pushes').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Of a dataset to one place. */
export async function findPushTo(
  db: Database,
  { dataset_id, destination, folder }: Pick<PushRow, 'dataset_id' | 'destination' | 'folder'>,
): Promise<PushRow | undefined> {
  return await db
    .selectFrom('pushes')
    .selectAll()
    .where('dataset_id', '=', dataset_id)
    .where('destination', '=', destination)
    .where('folder', '=', folder)
    .executeTakeFirst();
}

/** The newest first. */
export async function listPushes(db: Database, datasetId: string, limit: number): Promise<PushRow[]> {
  return await db
    .selectFrom('pushes')
    .selectAll()
    .where('dataset_id', '=', datasetId)
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}

export type PushChanges = Partial<Omit<PushRow, 'id' | 'dataset_id' | 'owner' | 'destination' | 'folder'>>;

/** @returns the row after the change; undefined when its state is none of `from`. */
export async function changePush(
  db: Database,
  id: string,
  from: readonly PushState[],
  changes: PushChanges,
  nowMs: number,
): Promise<PushRow | undefined> {
  return await db
    .updateTable('pushes')
    .set({ ...changes, updated_at: nowMs })
    .where('id', '=', id)
    .where('state', 'in', from)
    .returningAll()
    .executeTakeFirst();
}

/** Counts an attempt. @returns the row after that; undefined when the push has ended. */
export async function beginAttempt(db: Database, id: string, nowMs: number): Promise<PushRow | undefined> {
  return await db
    .updateTable('pushes')
    .set(({ eb }) => ({ state: 'running', attempts: eb('attempts', '+', 1), updated_at: nowMs }))
    .where('id', '=', id)
    .where('state', 'in', LIVE_PUSHES)
    .returningAll()
    .executeTakeFirst();
}

/** Ids of the files that are there. */
export async function listPushedFiles(db: Database, pushId: string): Promise<Set<string>> {
  const rows = await db
    .selectFrom('pushed_files')
    .select('file_id')
    .where('push_id', '=', pushId)
    .where('is_done', '=', 1)
    .execute();
  return new Set(rows.map(({ file_id }) => file_id));
}

/** A file is there: for use in a transaction. Safe to repeat. */
export async function notePushed(
  tx: Database,
  pushId: string,
  file: { id: string; sizeBytes: number },
  nowMs: number,
): Promise<void> {
  const noted = await tx
    .insertInto('pushed_files')
    .values({ push_id: pushId, file_id: file.id, is_done: 1, progress: null })
    .onConflict((conflict) =>
      conflict
        .columns(['push_id', 'file_id'])
        .doUpdateSet({ is_done: 1, progress: null })
        .where('pushed_files.is_done', '=', 0),
    )
    .executeTakeFirst();
  // Another server has noted it.
  if (Number(noted.numInsertedOrUpdatedRows) === 0) return;
  await tx
    .updateTable('pushes')
    .set(({ eb }) => ({
      files_done: eb('files_done', '+', 1),
      bytes_done: eb('bytes_done', '+', file.sizeBytes),
      attempts: 0,
      error: null,
      updated_at: nowMs,
    }))
    .where('id', '=', pushId)
    .execute();
}

/** What the destination needs to go on with a file; null: nothing. */
export async function readPushProgress(db: Database, pushId: string, fileId: string): Promise<string | null> {
  const row = await db
    .selectFrom('pushed_files')
    .select('progress')
    .where('push_id', '=', pushId)
    .where('file_id', '=', fileId)
    .executeTakeFirst();
  return row?.progress ?? null;
}

export async function savePushProgress(
  db: Database,
  pushId: string,
  fileId: string,
  progress: string | null,
): Promise<void> {
  await db
    .insertInto('pushed_files')
    .values({ push_id: pushId, file_id: fileId, is_done: 0, progress })
    .onConflict((conflict) => conflict.columns(['push_id', 'file_id']).doUpdateSet({ progress }))
    .execute();
}

/** Files that were begun and are not there. */
export async function listBegunFiles(
  db: Database,
  pushId: string,
): Promise<{ file_id: string; progress: string | null }[]> {
  return await db
    .selectFrom('pushed_files')
    .select(['file_id', 'progress'])
    .where('push_id', '=', pushId)
    .where('is_done', '=', 0)
    .execute();
}

export async function forgetPushedFiles(db: Database, pushId: string): Promise<void> {
  await db.deleteFrom('pushed_files').where('push_id', '=', pushId).execute();
}

/** For use in the transaction that removes the dataset. */
export async function forgetPushesOf(tx: Database, datasetId: string): Promise<void> {
  const ids = tx.selectFrom('pushes').select('id').where('dataset_id', '=', datasetId);
  await tx.deleteFrom('pushed_files').where('push_id', 'in', ids).execute();
  await tx.deleteFrom('jobs').where('file_id', 'in', ids).where('kind', '=', 'push').execute();
  await tx.deleteFrom('pushes').where('dataset_id', '=', datasetId).execute();
}
