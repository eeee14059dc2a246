/** The migration that adds pushes of datasets. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { Database } from '../database.ts';
import { dialectOf } from '../dialect.ts';

export const PUSHES_MIGRATION: Migration = {
  async up(db: Database) {
    const { text } = dialectOf(db).columns;
    await db.schema
      .createTable('pushes')
      .addColumn('id', text, (column) => column.primaryKey())
      .addColumn('dataset_id', text, (column) => column.notNull())
      .addColumn('owner', text, (column) => column.notNull())
      .addColumn('destination', text, (column) => column.notNull())
      .addColumn('folder', text, (column) => column.notNull())
      .addColumn('place', text, (column) => column.notNull())
      .addColumn('state', text, (column) => column.notNull())
      .addColumn('receipt_id', text)
      .addColumn('files', 'bigint')
      .addColumn('bytes', 'bigint')
      .addColumn('files_done', 'bigint', (column) => column.notNull())
      .addColumn('bytes_done', 'bigint', (column) => column.notNull())
      .addColumn('attempts', 'integer', (column) => column.notNull())
      .addColumn('error', text)
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('updated_at', 'bigint', (column) => column.notNull())
      .addColumn('ended_at', 'bigint')
      .execute();
    // Of one dataset to one place, one.
    await db.schema
      .createIndex('pushes_by_place')
      .on('pushes')
      .columns(['dataset_id', 'destination', 'folder'])
      .unique()
      .execute();
    await db.schema
      .createTable('pushed_files')
      .addColumn('push_id', text, (column) => column.notNull())
      .addColumn('file_id', text, (column) => column.notNull())
      .addColumn('is_done', 'integer', (column) => column.notNull())
      .addColumn('progress', text)
      .addPrimaryKeyConstraint('pushed_files_key', ['push_id', 'file_id'])
      .execute();
    await sql`create index pushes_of_dataset on pushes (dataset_id, id)`.execute(db);
  },
};
