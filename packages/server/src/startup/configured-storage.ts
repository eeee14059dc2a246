/** Opens the storage that the settings name: for a server, and for a migration. */
import type { Config } from '../config/config.ts';
import { inPlace, type Places } from '../config/places.ts';
import type { Database } from '../db/database.ts';
import type { Logger } from '../ops/log.ts';
import type { Storage } from '../storage/storage.ts';
import { openShared } from './shared-folder.ts';
import { openBucket } from './storage.ts';

/**
 * @param openFolder opens the folder of one server.
 * @param log as for `openBucket`.
 * @throws SettingError when the storage cannot be used.
 */
export async function openConfiguredStorage(
  settings: Config['storage'],
  places: Places,
  db: Database,
  log: Logger | null,
  openFolder: (folder: string) => Promise<Storage>,
): Promise<Storage> {
  switch (settings.kind) {
    case 'folder':
      return await inPlace(places.storage ?? places.data, () => openFolder(settings.folder));
    case 'shared':
      return await openShared(settings.folder, places, db);
    case 's3':
      return await openBucket(settings, db, log);
  }
}
