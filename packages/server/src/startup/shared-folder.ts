/** Opens the folder that several servers share: what it must do is tried, and it belongs to one database. */
import { randomUUID } from 'node:crypto';
import { inPlace, makeOwnFolder, type Places } from '../config/places.ts';
import { SettingError } from '../config/setting-error.ts';
import type { Database } from '../db/database.ts';
import { readDatabaseId, readFact, readOrMakeFact, SHARED_FOLDER_ID } from '../db/server-state.ts';
import { Digester } from '../storage/disk/threads/digester.ts';
import { AssumptionFailed } from '../storage/shared/assumption.ts';
import { checkMount } from '../storage/shared/mount-options.ts';
import { type OwnerMark, readMark, writeMark } from '../storage/shared/owner-mark.ts';
import { probeFolder } from '../storage/shared/probe.ts';
import { SharedStorage } from '../storage/shared/shared-storage.ts';
import type { Storage } from '../storage/storage.ts';
import { inDatabase } from './database.ts';
import { createWriters } from './storage.ts';

/** @throws SettingError when the folder cannot be used by several servers, or is not the one of this database. */
export async function openShared(folder: string, places: Places, db: Database): Promise<Storage> {
  const inFolder = <T>(step: () => Promise<T>) => inPlace({ setting: 'CRYOLIFT_STORAGE_URL', folder }, step);
  const [databaseId, folderId] = await inDatabase(places, () =>
    Promise.all([readDatabaseId(db), readFact(db, SHARED_FOLDER_ID)]),
  );
  const storage = await inFolder(async () => {
    await makeOwnFolder(folder);
    return await SharedStorage.open(folder, createWriters(), new Digester());
  });
  try {
    const mark = await inFolder(async () => {
      await probe(folder);
      const isEmpty = async () => (await storage.files.list()).length === 0;
      return await claim(folder, { database_id: databaseId, folder_id: folderId ?? null }, isEmpty);
    });
    const known = await inDatabase(places, () => readOrMakeFact(db, SHARED_FOLDER_ID, () => mark.folder_id));
    return await inFolder(async () => {
      // Two servers that were started at once for the first time, with different folders.
      if (known !== mark.folder_id) throw notThisFolder(folder, 'cryolift.json names another one');
      return storage;
    });
  } catch (error) {
    await storage.close();
    throw error;
  }
}

async function probe(folder: string): Promise<void> {
  try {
    await checkMount(folder);
    await probeFolder(folder);
  } catch (error) {
    if (!(error instanceof AssumptionFailed)) throw error;
    throw new SettingError(`several servers cannot use ${folder}: ${error.message}`);
  }
}

/**
 * @param expected `folder_id` is null when the database has no folder yet. @param isEmpty whether no file is stored there; it reads the whole folder.
 * @returns the mark of the folder, which is that of this database.
 */
async function claim(
  folder: string,
  expected: { database_id: string; folder_id: string | null },
  isEmpty: () => Promise<boolean>,
): Promise<OwnerMark> {
  const { database_id, folder_id } = expected;
  const found = await readMark(folder);
  if (!found && folder_id !== null && (await isEmpty())) {
    throw notThisFolder(folder, 'it has neither cryolift.json nor files; is the file system mounted?');
  }
  const mark = found ?? (await writeMark(folder, { database_id, folder_id: folder_id ?? randomUUID() }));
  if (mark.database_id === database_id) return mark;
  const advice = 'give each database a folder of its own, or restore the database that belongs to it';
  throw new SettingError(`${folder} belongs to another database; ${advice}`);
}

function notThisFolder(folder: string, why: string): SettingError {
  const advice = 'to use another folder, copy cryolift.json into it, with the files';
  return new SettingError(`${folder} is not the folder of this database: ${why}; ${advice}`);
}
