/** Opens what the server keeps: its folders, for it alone, the database and the storage. */
import { MrcAnalyzer } from '../analysis/mrc-analyzer.ts';
import type { Config } from '../config/config.ts';
import { hasKey } from '../config/jwt.ts';
import { inPlace, lockPlaces, placesOf } from '../config/places.ts';
import { readOrMakeSecret } from '../config/secret.ts';
import type { Database } from '../db/database.ts';
import { openSqliteFile } from '../db/open.ts';
import type { Reserve } from '../db/sqlite/reserve.ts';
import type { Logger } from '../ops/log.ts';
import type { Storage } from '../storage/storage.ts';
import { openConfiguredStorage } from './configured-storage.ts';
import { openConfigured } from './database.ts';
import { openDisk } from './storage.ts';

/** Replacements for tests. */
export interface DataOverrides {
  /** @param path of the database file. */
  openDatabase?(path: string): Promise<Database>;
  /** @param onLost is called with each upload whose written bytes the storage has lost. */
  openStorage?(folder: string, onLost: (uploadId: string) => void): Promise<Storage>;
}

export interface Data {
  readonly places: ReturnType<typeof placesOf>;
  readonly db: Database;
  readonly storage: Storage;
  readonly analyzer: MrcAnalyzer;
  /** Space that is kept for the database; null: it is not on a disk of this server. */
  readonly reserve: Reserve | null;
  /** The generated secret of tokens; null when the settings have a key. */
  readonly ownSecret: string | null;
  /** Unlocks the folders. */
  unlock(): void;
}

/**
 * @param onLost is called with each upload whose written bytes the storage has lost.
 * @throws SettingError when a folder cannot be used, or another server has it.
 */
export async function openData(
  config: Config,
  log: Logger,
  onLost: (uploadId: string) => void,
  { openDatabase: open = openSqliteFile, openStorage = openDisk }: DataOverrides = {},
): Promise<Data> {
  const places = placesOf(config);
  const unlock = await lockPlaces(places);
  const ownSecret = hasKey(config.jwt) ? null : await inPlace(places.data, () => readOrMakeSecret(config.dataDir));
  const { db, reserve, marked } = await openConfigured(config, places, log, open);
  if (marked > 0) log.warn({ uploads: marked }, 'the system was restarted: stored parts are verified again');
  const storage = await openConfiguredStorage(config.storage, places, db, log, (folder) => openStorage(folder, onLost));
  const analyzer = new MrcAnalyzer(storage.prefixes?.digesting ?? new SharedArrayBuffer(4));
  return { places, db, storage, analyzer, reserve, ownSecret, unlock };
}
