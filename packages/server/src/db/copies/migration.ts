/** The migration that adds copies of files, and what is found of stored files. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { Database } from '../database.ts';
import { dialectOf } from '../dialect.ts';

export const COPIES_MIGRATION: Migration = {
  async up(db: Database) {
    const { text } = dialectOf(db).columns;
    await db.schema.alterTable('uploads').addColumn('copied_from', text).execute();
    await db.schema.alterTable('files').addColumn('copied_from', text).execute();
    await db.schema.alterTable('files').addColumn('fault', text).execute();
    // The owner first: what others have is not read.
    await sql`create index files_by_digest on files (owner, sha256) where sha256 is not null`.execute(db);
  },
};
