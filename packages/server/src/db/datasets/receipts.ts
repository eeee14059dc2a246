/** Receipts of datasets: issued here, and those of the servers that had the files before. */
import type { Database } from '../database.ts';
import type { FileRow, ReceiptRow } from '../tables.ts';

/** Files per read. */
const PAGE = 500;

/** @returns false when there is one of this completion already. */
export async function insertReceipt(db: Database, row: ReceiptRow): Promise<boolean> {
  const inserted = await db
    .insertInto('receipts')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return Number(inserted.numInsertedOrUpdatedRows) > 0;
}

/** The newest one that was issued here. */
export async function findReceipt(db: Database, datasetId: string): Promise<ReceiptRow | undefined> {
  return await selectNewest(db, datasetId, 'issued').executeTakeFirst();
}

/** That of one completion. */
export async function findReceiptOfCompletion(
  db: Database,
  datasetId: string,
  completedAt: number,
): Promise<ReceiptRow | undefined> {
  return await selectNewest(db, datasetId, 'issued').where('completed_at', '=', completedAt).executeTakeFirst();
}

export async function findReceiptById(db: Database, id: string): Promise<ReceiptRow | undefined> {
  return await db.selectFrom('receipts').selectAll().where('id', '=', id).executeTakeFirst();
}

/** The one of the server that had the files before. */
export async function findPreviousReceipt(db: Database, datasetId: string): Promise<ReceiptRow | undefined> {
  return await selectNewest(db, datasetId, 'previous').executeTakeFirst();
}

function selectNewest(db: Database, datasetId: string, kind: ReceiptRow['kind']) {
  return db
    .selectFrom('receipts')
    .selectAll()
    .where('dataset_id', '=', datasetId)
    .where('kind', '=', kind)
    .orderBy('id', 'desc')
    .limit(1);
}

/** All files of a dataset, by id, a page at a time. */
export async function* eachFileOf(db: Database, datasetId: string): AsyncGenerator<FileRow> {
  for (let after = ''; ; ) {
    const rows = await listFilesAfter(db, datasetId, after);
    yield* rows;
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return;
    after = last.id;
  }
}

async function listFilesAfter(db: Database, datasetId: string, after: string): Promise<FileRow[]> {
  return await db
    .selectFrom('files')
    .selectAll()
    .where('dataset_id', '=', datasetId)
    .where('deleted_at', 'is', null)
    .where('id', '>', after)
    .orderBy('id')
    .limit(PAGE)
    .execute();
}
