/**
 * The schema of the database, and what servers of different versions do with it. A version first only adds to the schema
 * (columns that may be null, tables, indexes), so that older servers go on. A later version that takes something away writes
 * the name of the last migration that a server must know then as `schema_floor`.
 */
import { UploadError } from '@cryolift/protocol/errors';
import { sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { VERSION } from '../version.ts';
import type { Database } from './database.ts';
import { dialectOf } from './dialect.ts';
import { MIGRATIONS } from './migrations.ts';
import { readFact, writeFact } from './server-state.ts';

/** The name of the fact. */
export const SCHEMA_FLOOR = 'schema_floor';
/** The fact with the version that started last on the database, of those that know all of its migrations. */
export const SERVER_VERSION = 'server_version';
/** Where Kysely keeps the names of migrations. */
const TABLE = 'kysely_migration';
/** Of another version: done, and unknown here. */
const DONE: Migration = { async up() {} };

/** A newer version has taken away something that this one needs. Its message is one line, and says what to do. */
export class NewerSchema extends Error {}

/**
 * Creates or migrates the tables as needed. A database that a newer version has migrated is used as it is.
 *
 * @throws NewerSchema when it cannot be used. Nothing is changed then.
 */
export async function migrate(db: Database): Promise<void> {
  const ours = migrationsOf(db);
  const unknown = (await listDone(db)).filter((name) => !(name in ours));
  if (unknown.length > 0) await assertFloor(db, ours);
  const migrations = { ...ours, ...Object.fromEntries(unknown.map((name) => [name, DONE])) };
  const { error } = await new Migrator({ db, provider: { getMigrations: async () => migrations } }).migrateToLatest();
  if (error) throw error;
  // For the message of an older one.
  const isNewest = unknown.length === 0;
  if (isNewest && (await readFact(db, SERVER_VERSION)) !== VERSION) await writeFact(db, SERVER_VERSION, VERSION);
}

/** @throws Error when the tables are not exactly those of this version. Nothing is changed. */
export async function assertMigrated(db: Database): Promise<void> {
  const ours = Object.keys(migrationsOf(db));
  const done = await listDone(db);
  if (done.length === 0) throw new Error('it is not the database of a server');
  if (ours.some((name) => !done.includes(name))) {
    throw new Error('its tables are those of an older version; start and stop the server of this version on it first');
  }
  const newer = done.find((name) => !ours.includes(name));
  if (newer !== undefined) throw new Error(`its tables are those of a newer version (${newer}); use that version`);
}

/** @throws UploadError `database_unavailable` when the tables are not those that this version needs. */
export async function checkSchema(db: Database): Promise<void> {
  const ours = migrationsOf(db);
  const done = new Set(await readNames(db));
  const missing = Object.keys(ours).find((name) => !done.has(name));
  const cause = missing ? new Error(`the migration ${missing} is missing`) : await findFloorFault(db, ours);
  if (cause)
    throw new UploadError('database_unavailable', 'The database has the tables of another version.', { cause });
}

/** From now on, only servers that know this migration use the database. For use inside a transaction. */
export async function raiseFloor(tx: Database, migration: string): Promise<void> {
  const floor = await readFact(tx, SCHEMA_FLOOR);
  if (floor === undefined || floor < migration) await writeFact(tx, SCHEMA_FLOOR, migration);
}

async function assertFloor(db: Database, ours: Record<string, Migration>): Promise<void> {
  const fault = await findFloorFault(db, ours);
  if (fault) throw fault;
}

async function findFloorFault(db: Database, ours: Record<string, Migration>): Promise<NewerSchema | null> {
  const floor = await readFact(db, SCHEMA_FLOOR);
  if (floor === undefined || floor in ours) return null;
  const version = (await readFact(db, SERVER_VERSION)) ?? 'unknown';
  return new NewerSchema(
    `the database was migrated by a newer version of Cryolift (${version}, ${floor}); start that version, or restore the backup that was made before the upgrade`,
  );
}

function migrationsOf(db: Database): Record<string, Migration> {
  return { ...MIGRATIONS, ...dialectOf(db).migrations };
}

/** The names of the migrations that are done; none in an empty database. */
async function listDone(db: Database): Promise<string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  return tables.some(({ name }) => name === TABLE) ? await readNames(db) : [];
}

async function readNames(db: Database): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(TABLE)} order by name`.execute(db);
  return rows.map(({ name }) => name);
}
