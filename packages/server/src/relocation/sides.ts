/** The two sides of a relocation: where the server keeps its data, and where it is to have them. */
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { assertServer } from '../backup.ts';
import { type Config, readConfig } from '../config/config.ts';
import { type DatabaseConfig, parseDatabaseUrl } from '../config/database-url.ts';
import { lockPlaces, type Place, placesOf } from '../config/places.ts';
import { SettingError } from '../config/setting-error.ts';
import { type Database, transact } from '../db/database.ts';
import { dialectOf } from '../db/dialect.ts';
import { openPostgresAsItIs, openPostgresDatabase, openSqliteAsItIs, openSqliteFile } from '../db/open.ts';
import { assertMigrated } from '../db/schema.ts';
import { openConfiguredStorage } from '../startup/configured-storage.ts';
import { inDatabase } from '../startup/database.ts';
import { openDisk } from '../startup/storage.ts';
import type { Storage } from '../storage/storage.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where a side is, as URLs of the settings; undefined: as the settings of the server say. */
export interface Address {
  readonly database: string | undefined;
  readonly storage: string | undefined;
  readonly dataDir: string | undefined;
}

export interface Sides {
  readonly source: Config;
  readonly target: Config;
  /** Both have the same storage; only the database moves. */
  readonly storageStays: boolean;
}

export interface OpenSide {
  readonly db: Database;
  readonly storage: Storage;
}

const LAST_STATEMENT_TRIES = 10;
const TRY_AGAIN_MS = 500;
/** `CRYOLIFT_TO_…` are those of the target's bucket, where they are others than the source's. */
const BUCKET_KEYS = ['S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'];

/** @param env of the server. @throws SettingError. */
export function readSource(env: Environment, from: Address): Config {
  return readSide(env, from);
}

/** @param env of the server. @throws SettingError. */
export function readSides(env: Environment, from: Address, to: Address): Sides {
  const source = readSide(env, from);
  const dataDir = to.dataDir ?? findFolder(to.database) ?? source.dataDir;
  if (to.database === 'sqlite:' && to.dataDir === undefined) {
    throw new SettingError('--to sqlite: needs --data-dir-to, the data folder of the target; or give sqlite:PATH');
  }
  const others = Object.fromEntries(
    BUCKET_KEYS.flatMap((name) =>
      env[`CRYOLIFT_TO_${name}`] ? [[`CRYOLIFT_${name}`, env[`CRYOLIFT_TO_${name}`]]] : [],
    ),
  );
  const storage = to.storage ?? printStorageUrl(source, dataDir);
  const target = readSide({ ...env, ...others }, { ...to, storage, dataDir });
  if (isDeepStrictEqual(source.database, target.database)) {
    throw new SettingError(
      '--to is the database of the source; the source stays as it is, so that the target needs a database of its own',
    );
  }
  assertSameKind(source.storage, target.storage);
  return { source, target, storageStays: isDeepStrictEqual(identify(source), identify(target)) };
}

function assertSameKind(source: Config['storage'], target: Config['storage']): void {
  if (source.kind === 's3' || target.kind === 's3') return;
  if (source.kind === target.kind || source.folder !== target.folder) return;
  const advice = 'give --storage-to an empty folder';
  throw new SettingError(`${source.folder} cannot be both the folder of one server and a shared folder; ${advice}`);
}

/** What a storage is known by. */
function identify({ storage }: Pick<Config, 'storage'>) {
  if (storage.kind !== 's3') return storage;
  const { credentials: _key, direct: _direct, ...place } = storage;
  return place;
}

/** The folder of a database file, which is its data folder unless another one is given. */
function findFolder(url: string | undefined): string | undefined {
  if (!url?.startsWith('sqlite:') || url === 'sqlite:') return undefined;
  const database = parseDatabaseUrl(url, '');
  return database.kind === 'sqlite' ? dirname(database.path) : undefined;
}

function readSide(env: Environment, { database, storage, dataDir }: Address): Config {
  const flags = { 'database-url': database, 'storage-url': storage, 'data-dir': dataDir };
  const isBucket = (storage ?? env.CRYOLIFT_STORAGE_URL ?? '').startsWith('s3:');
  // The keys of a bucket are no setting of a folder.
  const without = isBucket ? [] : BUCKET_KEYS.map((name) => [`CRYOLIFT_${name}`, undefined]);
  return readConfig({ ...env, ...Object.fromEntries(without) }, flags);
}

/** @returns the database for people, without a password. */
export function nameDatabase(database: DatabaseConfig): string {
  if (database.kind === 'sqlite') return `sqlite:${database.path}`;
  const url = new URL(database.url);
  return `postgres://${url.host}${url.pathname}`;
}

/** @returns the storage for people. */
export function nameStorage({ storage }: Pick<Config, 'storage'>): string {
  return storage.kind === 's3' ? `s3://${storage.bucket}/${storage.prefix}` : `file:${storage.folder}`;
}

/** @returns the storage as `CRYOLIFT_STORAGE_URL` names it, beside this data folder. */
export function printStorageUrl({ storage }: Pick<Config, 'storage'>, dataDir: string): string {
  // Beside PostgreSQL, `file:` is the data folder of one server.
  if (storage.kind === 'folder' && storage.folder === dataDir) return 'file:';
  if (storage.kind !== 's3') return `file:${storage.folder}`;
  const { bucket, prefix, endpoint, region, pathStyle, direct } = storage;
  const query = new URLSearchParams({ ...(endpoint ? { endpoint } : {}), region, path_style: String(pathStyle) });
  if (!direct) query.set('direct', 'false');
  return `s3://${bucket}/${prefix.split('/').map(encodeURIComponent).join('/')}?${query}`;
}

/** Locks the folders of both sides. @throws SettingError when the source has no server, or a server is running. */
export async function lockSides({ source, target }: Pick<Sides, 'source' | 'target'>): Promise<() => void> {
  await assertServer(source);
  const places = placesOf(source);
  const unlock = await lockPlaces(places);
  const locked = Object.values(places).map((place: Place | null) => place?.folder);
  const rest = Object.entries(placesOf(target)).map(([name, place]: [string, Place | null]) => [
    name,
    place && locked.includes(place.folder) ? null : place,
  ]);
  try {
    const unlockTarget = await lockPlaces(Object.fromEntries(rest));
    return () => {
      unlockTarget();
      unlock();
    };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** @param mayCreate the database need not be there, and is migrated. @throws SettingError. */
export async function openDatabase(config: Config, mayCreate: boolean): Promise<Database> {
  const { database } = config;
  const program = `cryolift migrate ${process.pid}`;
  const open = async () => {
    if (database.kind === 'sqlite') return await (mayCreate ? openSqliteFile : openSqliteAsItIs)(database.path);
    if (!mayCreate) return await openPostgresAsItIs(database.url, program);
    return await openPostgresDatabase(database.url, () => {}, program);
  };
  return await inDatabase(placesOf(config), async () => await ofThisVersion(await open())).catch((error: unknown) => {
    if (error instanceof SettingError) throw error;
    throw new SettingError(`${nameDatabase(database)}: ${(error as Error).message}`);
  });
}

/** @throws Error when a newer version has added to its tables: the rows would not be those that it expects. */
async function ofThisVersion(db: Database): Promise<Database> {
  try {
    await assertMigrated(db);
    return db;
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

/** @throws SettingError when a server, or another migration, uses the database. */
export async function assertNoServer(db: Database, config: Config): Promise<void> {
  const count = () => transact(db, (tx) => dialectOf(tx).countOtherConnections(tx));
  let connections = await count();
  // Those of a process that was killed end with their last statement.
  for (let tries = 0; connections > 0 && tries < LAST_STATEMENT_TRIES; tries++) {
    await sleep(TRY_AGAIN_MS);
    connections = await count();
  }
  if (connections === 0) return;
  throw new SettingError(
    `${nameDatabase(config.database)} has ${connections} connections of servers or other migrations: stop them first`,
  );
}

/** @param onLost is called when written bytes of an upload were lost. @throws SettingError. */
export async function openStorage(config: Config, db: Database, onLost: (uploadId: string) => void): Promise<Storage> {
  const openFolder = (folder: string) => openDisk(folder, onLost);
  return await openConfiguredStorage(config.storage, placesOf(config), db, null, openFolder);
}
