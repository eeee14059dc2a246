/** The folders that a server works in: locked for it alone, and explained when they cannot be used. */
import type { Stats } from 'node:fs';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { lockFolder } from '@cryolift/client/folder-lock';
import type { Config } from './config.ts';
import { SettingError } from './setting-error.ts';

export interface Place {
  /** What an operator changes to have it elsewhere. */
  readonly setting: string;
  readonly folder: string;
}

export interface Places {
  readonly data: Place;
  /** Null: the database is not on a disk of this server. */
  readonly database: Place | null;
  readonly storage: Place;
}

const PROBE_BYTES = 64 * 1024;

/** What the data folder holds, too, goes by the setting of the data folder. */
export function placesOf({ dataDir, database, storageDir }: Config): Places {
  const data = { setting: 'CRYOLIFT_DATA_DIR', folder: dataDir };
  const place = (setting: string, folder: string) => (folder === dataDir ? data : { setting, folder });
  return {
    data,
    database: database.kind === 'sqlite' ? place('CRYOLIFT_DATABASE_URL', dirname(database.path)) : null,
    storage: place('CRYOLIFT_STORAGE_URL', storageDir),
  };
}

/** Two servers on one database or one storage would each sweep away what the other has. */
export async function lockPlaces(places: Places): Promise<() => void> {
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

/** Does a step of the start. @throws SettingError when it fails: one line that names the setting and says what to do. */
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
 * The system's code for what is wrong with a folder; null for an error that has nothing to do with it.
 *
 * SQLite's own codes do not tell a full disk from one that is mounted read-only: a file that is written does.
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
      return `there is no space left for ${folder} (${code}); make room on its disk, 16 MiB or more, and start again`;
    case 'EROFS':
      return `${folder} is on a file system that is mounted read-only (${code}); look for disk errors (dmesg), mount it for writing, and start again`;
    case 'EACCES':
    case 'EPERM':
      return `this user may not write into ${folder} (${code}); give the folder to the user of the server, or name another one`;
    case 'EIO':
      return `the disk of ${folder} gives errors (${code}); look for them (dmesg)`;
    default:
      return `${folder} cannot be used (${code})`;
  }
}

async function lockPlace(folder: string): Promise<(() => void) | null> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  assertOwn(folder, await stat(folder));
  return lockFolder(join(folder, 'cryolift.lock'));
}

/** Whoever can write into the folder can put links and files of his own in the place of ours. @throws SettingError */
function assertOwn(folder: string, { uid, mode }: Stats): void {
  const ownUid = process.geteuid?.();
  // Windows has neither.
  if (ownUid === undefined) return;
  if (uid !== ownUid) {
    throw new SettingError(`${folder} belongs to another user (uid ${uid}); this server runs as uid ${ownUid}`);
  }
  if ((mode & 0o022) !== 0) {
    throw new SettingError(`${folder} can be written by other users; mend it with: chmod go-w ${folder}`);
  }
}
