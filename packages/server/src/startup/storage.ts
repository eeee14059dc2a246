/** Opens the storage that the settings name. */
import { availableParallelism } from 'node:os';
import type { Config } from '../config/config.ts';
import { SettingError } from '../config/setting-error.ts';
import type { Database } from '../db/database.ts';
import { readDatabaseId } from '../db/server-state.ts';
import type { Logger } from '../ops/log.ts';
import { DiskStorage } from '../storage/disk/disk-storage.ts';
import { Digester } from '../storage/disk/threads/digester.ts';
import { Writers } from '../storage/disk/threads/writers.ts';
import { readMark } from '../storage/shared/owner-mark.ts';
import type { Storage } from '../storage/storage.ts';

/** Receive memory: 16 slots of 1 MiB. */
const SLOTS = 16;

export function createWriters(): Writers {
  return new Writers(Math.min(8, Math.max(2, availableParallelism())), SLOTS);
}

/**
 * @param onLost is called with each upload whose written bytes the disk failed to keep.
 * @throws SettingError when the folder is that of several servers.
 */
export async function openDisk(folder: string, onLost: (uploadId: string) => void): Promise<Storage> {
  if (await readMark(folder)) {
    throw new SettingError(
      `${folder} is the shared folder of a PostgreSQL database; set CRYOLIFT_DATABASE_URL and CRYOLIFT_STORAGE_URL as ` +
        'its other servers have them, or remove cryolift.json when they are gone for good',
    );
  }
  return await DiskStorage.open(folder, createWriters(), new Digester(), onLost);
}

/**
 * @param log null: clients are not to send parts to the bucket.
 * @throws SettingError when the bucket cannot be reached, or holds the uploads of another database.
 */
export async function openBucket(
  settings: Config['storage'] & { kind: 's3' },
  db: Database,
  log: Logger | null,
): Promise<Storage> {
  // Loaded only here: a server with a disk does not pay for the client library in memory and start time.
  const { S3Storage } = await import('../storage/s3/s3-storage.ts');
  const storage = new S3Storage(settings, createWriters());
  const where = `s3://${settings.bucket}/${settings.prefix}`;
  try {
    await storage.ping();
    if (await storage.claim(await readDatabaseId(db))) {
      if (log && settings.direct && !(await storage.offerDirect())) {
        log.warn({}, 'the object storage was not seen to compare parts with signed checksums: clients send none to it');
      }
      return storage;
    }
  } catch (error) {
    await storage.close();
    throw new SettingError(`CRYOLIFT_STORAGE_URL: ${where} cannot be used: ${(error as Error).message}`);
  }
  await storage.close();
  const advice = 'give each database a prefix of its own, or restore the database that belongs to it';
  throw new SettingError(`CRYOLIFT_STORAGE_URL: ${where} belongs to another database; ${advice}`);
}
