/** The migration that adds datasets: their rows, what is expected of them, and which files and uploads belong to them. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { Database } from '../database.ts';
import { dialectOf } from '../dialect.ts';

export const DATASETS_MIGRATION: Migration = {
  async up(db: Database) {
    const { text, bytes } = dialectOf(db).columns;
    await db.schema
      .createTable('datasets')
      .addColumn('id', text, (column) => column.primaryKey())
      .addColumn('owner', text, (column) => column.notNull())
      .addColumn('name', text, (column) => column.notNull())
      .addColumn('state', text, (column) => column.notNull())
      .addColumn('project', text)
      .addColumn('instrument', text)
      .addColumn('fields', text, (column) => column.notNull())
      .addColumn('text', text, (column) => column.notNull())
      .addColumn('files', 'bigint', (column) => column.notNull())
      .addColumn('bytes', 'bigint', (column) => column.notNull())
      .addColumn('expected_files', 'bigint')
      .addColumn('announced', 'bigint', (column) => column.notNull())
      .addColumn('complete_when_whole', 'integer', (column) => column.notNull())
      .addColumn('quota_bytes', 'bigint')
      .addColumn('retention_ms', 'bigint')
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('updated_at', 'bigint', (column) => column.notNull())
      .addColumn('first_arrival_at', 'bigint')
      .addColumn('last_arrival_at', 'bigint')
      .addColumn('completed_at', 'bigint')
      .addColumn('released_at', 'bigint')
      .addColumn('expires_at', 'bigint')
      .addColumn('forced', text)
      .addColumn('deleted_at', 'bigint')
      .execute();
    // Two inits at once make one. The name of one that is being deleted is free.
    await sql`create unique index datasets_by_name on datasets (owner, name) where deleted_at is null`.execute(db);
    await sql`create index datasets_by_owner on datasets (owner, id) where deleted_at is null`.execute(db);
    await sql`create index datasets_due on datasets (state, expires_at) where expires_at is not null`.execute(db);

    await db.schema
      .createTable('expected')
      .addColumn('dataset_id', text, (column) => column.notNull())
      .addColumn('source', text, (column) => column.notNull())
      .addColumn('how', text, (column) => column.notNull())
      .addColumn('sought', text, (column) => column.notNull())
      .addColumn('path', text, (column) => column.notNull())
      .addColumn('size', 'bigint')
      .addColumn('sha256', bytes)
      .addColumn('sections', 'integer')
      .addPrimaryKeyConstraint('expected_key', ['dataset_id', 'source', 'how', 'sought'])
      .execute();
    await db.schema.createIndex('expected_by_key').on('expected').columns(['dataset_id', 'how', 'sought']).execute();
    await db.schema.createIndex('expected_by_path').on('expected').columns(['dataset_id', 'path']).execute();
    await db.schema.createIndex('expected_by_source').on('expected').column('source').execute();

    await db.schema.alterTable('uploads').addColumn('dataset_id', text).execute();
    await db.schema.alterTable('files').addColumn('dataset_id', text).execute();
    await db.schema.alterTable('library').addColumn('dataset_id', text).execute();
    for (const column of ['width', 'height', 'depth'] as const) {
      await db.schema.alterTable('library').addColumn(column, 'integer').execute();
    }
    await sql`
      create index uploads_by_dataset on uploads (dataset_id, status) where dataset_id is not null`.execute(db);
    await sql`create index files_by_dataset on files (dataset_id, sha256) where dataset_id is not null`.execute(db);
    // Files without a dataset are in none of these.
    for (const [name, columns] of [
      ['created', sql`dataset_id, created_at, id`],
      ['folder', sql`dataset_id, folder, id, size, created_at`],
      ['path', sql`dataset_id, path, id`],
      ['name', sql`dataset_id, name, id`],
    ] as const) {
      const index = sql.raw(`library_dataset_${name}`);
      await sql`create index ${index} on library (${columns}) where dataset_id is not null`.execute(db);
    }
  },
};
