/** The migration that adds receipts of datasets. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { Database } from '../database.ts';
import { dialectOf } from '../dialect.ts';

export const RECEIPTS_MIGRATION: Migration = {
  async up(db: Database) {
    const { text } = dialectOf(db).columns;
    await db.schema
      .createTable('receipts')
      .addColumn('id', text, (column) => column.primaryKey())
      .addColumn('dataset_id', text, (column) => column.notNull())
      .addColumn('kind', text, (column) => column.notNull())
      .addColumn('completed_at', 'bigint')
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('document', text, (column) => column.notNull())
      .execute();
    await db.schema.createIndex('receipts_by_dataset').on('receipts').columns(['dataset_id', 'kind', 'id']).execute();
    // Of two servers that make the receipt of a completion, one keeps it.
    await sql`
      create unique index receipts_by_completion on receipts (dataset_id, completed_at)
      where completed_at is not null`.execute(db);
    await sql`create index files_of_dataset on files (dataset_id, id) where dataset_id is not null`.execute(db);
  },
};
