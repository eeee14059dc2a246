/** Locks the folders of a server, and explains why a folder cannot be used. */
import type { Stats } from 'node:fs';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { lockFolder } from '@cryolift/client/folder-lock';
import { durableStep } from '../durable-step.ts';
import { flush } from '../flush.ts';
import type { Config } from './config.ts';
import { SettingError } from './setting-error.ts';

export interface Place {
  /** The setting of the folder. */
  readonly setting: string;
  readonly folder: string;
}

export interface Places {
  readonly data: Place;
  /** Null: the database is not on a disk of this server. */
  readonly database: Place | null;
  /** Null: it is in a bucket, or in a folder that other servers use, too. */
  readonly storage: Place | null;
}

const PROBE_BYTES = 64 * 1024;

/** What the data folder holds, too, goes by the setting of the data folder. */
export function placesOf({ dataDir, database, storage }: Config): Places {
  const data = { setting: 'CRYOLIFT_DATA_DIR', folder: dataDir };
  const place = (setting: string, folder: string) => (folder === dataDir ? data : { setting, folder });
  return {
    data,
    database: database.kind === 'sqlite' ? place('CRYOLIFT_DATABASE_URL', dirname(database.path)) : null,
    storage: storage.kind === 'folder' ? place('CRYOLIFT_STORAGE_URL', storage.folder) : null,
  };
}

/** Two servers with one database or storage would delete each other's files. @param places null: not to be locked. */
export async function lockPlaces(places: { readonly [Name in keyof Places]: Place | null }): Promise<() => void> {
  const locks = new Map<string, () => void>();
  for (const place of Object.values(places) as (Place | null)[]) {
    if (!place || locks.has(place.folder)) continue;
    const { setting, folder } = place;
    const unlock = await inPlace(place, () => lockPlace(folder));
    if (!unlock) throw new SettingError(`${setting}: another server is using ${folder}`);
    locks.set(folder, unlock);
  }
  return () => {
    for (const unlock of locks.values()) unlock();
  };
}

/**
 * Runs a step of the start. @throws SettingError when it fails: one line that names the setting and says what to do.
 */
export async function inPlace<T>(place: Place, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof SettingError) throw new SettingError(`${place.setting}: ${error.message}`);
    const code = await findCode(place.folder, error);
    if (code === null) throw error;
    throw new SettingError(`${place.setting}: ${describe(place.folder, code)}`);
  }
}

/**
 * The system's error code for a folder; null for an unrelated error.
 *
 * SQLite has the same code for a full disk and a read-only mount, so a file is written to find out.
 */
async function findCode(folder: string, error: unknown): Promise<string | null> {
  const { code, cause } = error as NodeJS.ErrnoException;
  // An error of the storage or the database that was explained already.
  if (cause) return await findCode(folder, cause);
  if (code === undefined) return null;
  if (!code.startsWith('ERR_')) return code;
  const path = join(folder, `cryolift.probe.${process.pid}`);
  try {
    await writeFile(path, Buffer.alloc(PROBE_BYTES), { mode: 0o600, flush: true });
    return code;
  } catch (failure) {
    return (failure as NodeJS.ErrnoException).code ?? code;
  } finally {
    await rm(path, { force: true }).catch(() => {});
  }
}

function describe(folder: string, code: string): string {
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return `there is no space left for ${folder} (${code}); free 16 MiB or more on its disk, and start again`;
    case 'EROFS':
      return `${folder} is on a file system that is mounted read-only (${code}); check for disk errors (dmesg), mount it for writing, and start again`;
    case 'EACCES':
    case 'EPERM':
      return `this user cannot write to ${folder} (${code}); make the user of the server its owner, or set another folder`;
    case 'EIO':
      return `the disk of ${folder} has errors (${code}); check them with dmesg`;
    default:
      return `${folder} cannot be used (${code})`;
  }
}

async function lockPlace(folder: string): Promise<(() => void) | null> {
  await makeOwnFolder(folder);
  return lockFolder(join(folder, 'cryolift.lock'));
}

/** Makes the folder if it is missing, to stay. @throws SettingError when other users may write to it. */
export async function makeOwnFolder(folder: string): Promise<void> {
  const made = await durableStep('place.make-folder', () => mkdir(folder, { recursive: true, mode: 0o700 }));
  // Nothing in a folder survives a power loss that the folder itself does not survive.
  for (let path = folder; made && path.length >= made.length; path = dirname(path)) await flush(dirname(path));
  assertOwn(folder, await stat(folder));
}

/** A user who can write to the folder could replace files of the server. @throws SettingError */
function assertOwn(folder: string, { uid, mode }: Stats): void {
  const ownUid = process.geteuid?.();
  // Windows has neither owners nor modes.
  if (ownUid === undefined) return;
  if (uid !== ownUid) {
    throw new SettingError(`${folder} belongs to another user (uid ${uid}); this server runs as uid ${ownUid}`);
  }
  if ((mode & 0o022) !== 0) {
    throw new SettingError(`${folder} can be written by other users; run: chmod go-w ${folder}`);
  }
}
