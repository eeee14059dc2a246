/** Migrations of PostgreSQL alone, in one order with those of both databases. */
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const MIGRATIONS: Record<string, Migration> = {
  '008_event_order': {
    async up(db: Kysely<unknown>) {
      await sql`alter table events add column entry bigint generated always as identity primary key`.execute(db);
      await sql`create index events_unnumbered on events (entry) where seq is null`.execute(db);
      await sql`create sequence event_numbers`.execute(db);
    },
  },
  '012_leases_unlogged': {
    async up(db: Kysely<unknown>) {
      // A lease is of no use after a crash, and must cost no flush.
      await sql`alter table leases set unlogged`.execute(db);
    },
  },
};
