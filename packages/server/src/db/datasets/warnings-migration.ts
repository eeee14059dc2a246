/** The migration that adds warnings before datasets expire. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { Database } from '../database.ts';

const WEEK_MS = 7 * 86_400_000;

export const WARNINGS_MIGRATION: Migration = {
  async up(db: Database) {
    for (const column of ['warn_ms', 'warn_at'] as const) {
      await db.schema.alterTable('datasets').addColumn(column, 'bigint').execute();
    }
    await sql`create index datasets_to_warn on datasets (warn_at) where warn_at is not null`.execute(db);
    // Those that will expire.
    await sql`
      update datasets
      set warn_at = expires_at - case when retention_ms < ${2 * WEEK_MS} then retention_ms / 2 else ${WEEK_MS} end
      where expires_at is not null and state in ('complete', 'released')`.execute(db);
  },
};
