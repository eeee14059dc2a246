/** Migrations of SQLite alone, in one order with those of both databases. */
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const MIGRATIONS: Record<string, Migration> = {
  '018_library_text': {
    async up(db: Kysely<unknown>) {
      // Three characters each, without positions: what it finds is compared with the text itself.
      await sql`
        create virtual table library_text using fts5(
          text, tokenize = 'trigram case_sensitive 1', content = '', contentless_delete = 1, detail = none
        )`.execute(db);
      // Rows that are not in it yet: one row at a time costs thirty times as much as many at once.
      await sql`create table library_pending (id integer primary key)`.execute(db);
      await sql`
        create trigger library_inserted after insert on library begin
          insert into library_pending (id) values (new.id);
        end`.execute(db);
      await sql`
        create trigger library_changed after update of text on library when new.text <> old.text begin
          delete from library_text where rowid = old.id;
          insert or ignore into library_pending (id) values (new.id);
        end`.execute(db);
      await sql`
        create trigger library_deleted after delete on library begin
          delete from library_text where rowid = old.id;
          delete from library_pending where id = old.id;
        end`.execute(db);
    },
  },
};
