/** Opens the database that the settings name: a file for one server, or PostgreSQL. */
import type { Config } from '../config/config.ts';
import type { DatabaseConfig } from '../config/database-url.ts';
import { inPlace, type Places } from '../config/places.ts';
import { SettingError } from '../config/setting-error.ts';
import type { Database } from '../db/database.ts';
import { openPostgresDatabase } from '../db/open.ts';
import { whyRelocating } from '../db/relocation/marks.ts';
import { NewerSchema } from '../db/schema.ts';
import { noteBoot } from '../db/server-state.ts';
import { Reserve } from '../db/sqlite/reserve.ts';
import type { Logger } from '../ops/log.ts';
import { readBootId } from '../storage/disk/boot-id.ts';

export interface OpenedDatabase {
  readonly db: Database;
  /** Space that is kept for the database; null: it is not on a disk of this server. */
  readonly reserve: Reserve | null;
  /** Uploads whose stored parts are to be verified again, because the system was restarted. */
  readonly marked: number;
}

/**
 * @param openFile of a database file.
 * @throws SettingError when the database cannot be used.
 */
export async function openConfigured(
  { database, storage }: Config,
  places: Places,
  log: Logger,
  openFile: (path: string) => Promise<Database>,
): Promise<OpenedDatabase> {
  return await inDatabase(places, async () =>
    database.kind === 'sqlite'
      ? await openOnDisk(database, storage, log, openFile)
      : { ...(await openAfterBoot(() => openRemote(database, log), storage)), reserve: null },
  );
}

/** Runs a step of the start. @throws SettingError when the database fails: one line that names the setting. */
export async function inDatabase<T>(places: Places, step: () => Promise<T>): Promise<T> {
  if (places.database) return await inPlace(places.database, step);
  try {
    return await step();
  } catch (error) {
    if (error instanceof SettingError) throw new SettingError(`CRYOLIFT_DATABASE_URL: ${error.message}`);
    const { message, code } = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
    throw new SettingError(`CRYOLIFT_DATABASE_URL: PostgreSQL cannot be used: ${message || code}`);
  }
}

/** Reserves space for the database while there is some, and releases it when the disk is full. */
export async function adjustReserve(reserve: Reserve, log: Logger): Promise<void> {
  if ((await reserve.adjust()) === 'given up')
    log.warn('the disk is full: the space reserved for the database is released');
}

async function openOnDisk(
  { path }: Extract<DatabaseConfig, { kind: 'sqlite' }>,
  storage: Config['storage'],
  log: Logger,
  openFile: (path: string) => Promise<Database>,
): Promise<OpenedDatabase> {
  const reserve = new Reserve(path);
  await adjustReserve(reserve, log);
  const open = () => openAfterBoot(() => openFile(path), storage);
  // A quota, too, may leave nothing.
  const opened = await open().catch(async (error: unknown) => {
    if (error instanceof SettingError || !(await reserve.giveUp())) throw error;
    return await open();
  });
  return { ...opened, reserve };
}

async function openRemote({ url }: Extract<DatabaseConfig, { kind: 'postgres' }>, log: Logger): Promise<Database> {
  return await openPostgresDatabase(url, (error) => log.warn({ err: error }, 'a connection to the database was lost'));
}

async function openAfterBoot(
  open: () => Promise<Database>,
  { kind }: Config['storage'],
): Promise<{ db: Database; marked: number }> {
  const db = await open().catch((error: unknown) => {
    throw error instanceof NewerSchema ? new SettingError(error.message) : error;
  });
  try {
    const reason = await whyRelocating(db);
    if (reason !== null) throw new SettingError(reason);
    // What a bucket or a shared folder has acknowledged is not in the memory of this system.
    if (kind !== 'folder') return { db, marked: 0 };
    return { db, marked: await noteBoot(db, readBootId()) };
  } catch (error) {
    await db.destroy();
    throw error;
  }
}
