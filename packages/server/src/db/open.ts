/** Opens the database that the settings name. */
import { Kysely, sql } from 'kysely';
import { type Database, transact } from './database.ts';
import { dialectOf } from './dialect.ts';
import { openPostgres } from './postgres/open.ts';
import { assertMigrated, migrate } from './schema.ts';
import { ThreadedSqlite } from './sqlite/driver.ts';
import type { Tables } from './tables.ts';

/** Opens the database file, and creates or migrates it as needed. Close it with `destroy()`. */
export async function openSqliteFile(path: string): Promise<Database> {
  return await migrated(new Kysely<Tables>({ dialect: new ThreadedSqlite(path) }), (db) => migrate(db));
}

/** Opens the database file of a server. @throws Error when its tables are not those of this version; nothing is changed. */
export async function openSqliteAsItIs(path: string): Promise<Database> {
  return await migrated(new Kysely<Tables>({ dialect: new ThreadedSqlite(path) }), assertMigrated);
}

/** As `openSqliteAsItIs`. @param program as for `Pool`. */
export async function openPostgresAsItIs(url: string, program: string): Promise<Database> {
  return await migrated(await openPostgres(url, () => {}, program), assertMigrated);
}

/**
 * Connects to PostgreSQL and migrates the database as needed. Several servers may do so at once: the others wait.
 *
 * @param onLost is called when a connection that nobody uses is lost. @param program as for `Pool`.
 */
export async function openPostgresDatabase(
  url: string,
  onLost: (error: Error) => void,
  program?: string,
): Promise<Database> {
  return await migrated(await openPostgres(url, onLost, program), (db) =>
    transact(db, async (tx) => {
      await dialectOf(tx).lock(tx, 'migrations');
      // A table of millions of rows may take longer than any statement otherwise.
      await sql`set local statement_timeout = 0`.execute(tx);
      await migrate(tx);
    }),
  );
}

async function migrated(db: Database, work: (db: Database) => Promise<void>): Promise<Database> {
  try {
    await work(db);
    return db;
  } catch (error) {
    await db.destroy();
    throw error;
  }
}
