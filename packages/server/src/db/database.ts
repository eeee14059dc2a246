import { Kysely, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { MIGRATIONS } from './migrations.ts';
import { ThreadedSqlite } from './sqlite/dialect.ts';
import type { Tables } from './tables.ts';

export type Database = Kysely<Tables>;

/** Opens the database file, making or migrating it as needed. Close it with `destroy()`. */
export async function openDatabase(path: string): Promise<Database> {
  const db = new Kysely<Tables>({ dialect: new ThreadedSqlite(path) });
  const migrator = new Migrator({ db, provider: { getMigrations: async () => MIGRATIONS } });
  const { error } = await migrator.migrateToLatest();
  if (error) {
    await db.destroy();
    throw error;
  }
  return db;
}

/** @throws UploadError `database_unavailable` when it does not answer. */
export async function pingDatabase(db: Database): Promise<void> {
  await sql`select 1`.execute(db);
}

/** Runs `work` in one transaction: all that it writes is committed, or nothing is. */
export async function transact<T>(db: Database, work: (tx: Database) => Promise<T>): Promise<T> {
  return await db.transaction().execute(work);
}
