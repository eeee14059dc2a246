/** Opens the database that the settings name. */
import { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import type { Database } from './database.ts';
import { MIGRATIONS } from './migrations.ts';
import { ThreadedSqlite } from './sqlite/driver.ts';
import type { Tables } from './tables.ts';

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
