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
  '018_library_text': {
    async up(db: Kysely<unknown>) {
      // The extension comes with most installations, and may be missing, or not permitted. Then texts are read one by one.
      await sql`
        do $$
        begin
          create extension if not exists pg_trgm;
          create index library_by_text on library using gin (text gin_trgm_ops);
        exception when feature_not_supported or undefined_file or insufficient_privilege or undefined_object then null;
        end $$`.execute(db);
    },
  },
};
