/** The migration that adds compressed files, and the index by which movies are found that are old enough. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { Database } from '../database.ts';
import { dialectOf } from '../dialect.ts';

export const COMPRESSION_MIGRATION: Migration = {
  async up(db: Database) {
    const { bytes } = dialectOf(db).columns;
    await db.schema.alterTable('files').addColumn('compressed_size', 'bigint').execute();
    await db.schema.alterTable('files').addColumn('compressed_sha256', bytes).execute();
    await sql`create index library_stacks on library (created_at, id) where kind = 'stack'`.execute(db);
  },
};
