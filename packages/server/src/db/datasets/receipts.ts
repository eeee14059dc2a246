/** Receipts of datasets: issued here, and those of the servers that had the files before. */
import type { Database } from '../database.ts';
import type { FileRow, ReceiptRow } from '../tables.ts';

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

/** A page of the files of a dataset, by id. */
export async function listFilesForReceipt(
  db: Database,
  datasetId: string,
  after: string,
  limit: number,
): Promise<FileRow[]> {
  return await db
    .selectFrom('files')
    .selectAll()
    .where('dataset_id', '=', datasetId)
    .where('deleted_at', 'is', null)
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute();
}
