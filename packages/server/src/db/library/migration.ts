/** The migration that adds the library: what lists of files are searched and sorted by, and the sums of folders. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { Database } from '../database.ts';
import { dialectOf } from '../dialect.ts';

export const LIBRARY_MIGRATION: Migration = {
  async up(db: Database) {
    const { text, rowNumber } = dialectOf(db).columns;
    await db.schema.alterTable('uploads').addColumn('instrument', text).execute();
    await db.schema.alterTable('files').addColumn('instrument', text).execute();
    await db.schema.alterTable('files').addColumn('link_id', text).execute();
    await sql`
      update files set link_id = (select link_id from uploads where uploads.id = files.upload_id)
      where upload_id in (select id from uploads where link_id is not null)`.execute(db);
    // Servers fill it while they run (`db/library/reconcile.ts`): a start does not wait for a million records.
    await db.schema
      .createTable('library')
      .addColumn('id', rowNumber)
      .addColumn('file_id', text, (column) => column.notNull().unique())
      .addColumn('owner', text, (column) => column.notNull())
      .addColumn('folder', text, (column) => column.notNull())
      .addColumn('path', text, (column) => column.notNull())
      .addColumn('name', text, (column) => column.notNull())
      .addColumn('size', 'bigint', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('kind', text, (column) => column.notNull())
      .addColumn('instrument', text, (column) => column.notNull())
      .addColumn('text', text, (column) => column.notNull())
      .execute();
    for (const [name, columns] of [
      ['created', ['owner', 'created_at', 'id']],
      ['size', ['owner', 'size', 'id']],
      ['name', ['owner', 'name', 'id']],
      ['folder', ['owner', 'folder', 'created_at', 'id']],
      ['kind', ['owner', 'kind', 'created_at', 'id']],
    ] as const) {
      await db.schema
        .createIndex(`library_by_${name}`)
        .on('library')
        .columns([...columns])
        .execute();
    }
    await db.schema
      .createTable('folders')
      .addColumn('owner', text, (column) => column.notNull())
      .addColumn('parent', text, (column) => column.notNull())
      .addColumn('name', text, (column) => column.notNull())
      .addColumn('files', 'bigint', (column) => column.notNull())
      .addColumn('bytes', 'bigint', (column) => column.notNull())
      .addColumn('newest', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('folders_key', ['owner', 'parent', 'name'])
      .execute();
  },
};
