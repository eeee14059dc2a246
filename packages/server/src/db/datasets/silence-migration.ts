/** The migration that adds after what time an open dataset is silent, and finds what has arrived lately. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { Database } from '../database.ts';

export const SILENCE_MIGRATION: Migration = {
  async up(db: Database) {
    await db.schema.alterTable('datasets').addColumn('silent_after_ms', 'bigint').execute();
    await db.schema.alterTable('datasets').addColumn('silent_at', 'bigint').execute();
    await db.schema
      .alterTable('datasets')
      .addColumn('opened_at', 'bigint', (column) => column.notNull().defaultTo(0))
      .execute();
    await sql`update datasets set opened_at = created_at`.execute(db);
    await sql`
      create index datasets_watched on datasets (id)
      where state = 'open' and silent_after_ms is not null and deleted_at is null`.execute(db);
    await sql`create index library_arrivals on library (created_at, size)`.execute(db);
  },
};
