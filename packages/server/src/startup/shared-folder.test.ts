/** A shared folder belongs to one database, and a database has one shared folder. */
import assert from 'node:assert/strict';
import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { SettingError } from '../config/setting-error.ts';
import type { Database } from '../db/database.ts';
import { testDatabases } from '../db/test-databases.ts';
import { makeDatabase, makeFolder } from '../db/test-rows.ts';
import { openShared } from './shared-folder.ts';
import { openDisk } from './storage.ts';

async function claim(db: Database, folder: string): Promise<void> {
  const data = { setting: 'CRYOLIFT_DATA_DIR', folder };
  const storage = await openShared(folder, { data, database: null, storage: null }, db);
  await storage.close();
}

function refusal(message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof SettingError, String(error));
    assert.match(error.message, message);
    return true;
  };
}

async function makeFolders(t: TestContext): Promise<[string, string]> {
  return [await makeFolder(t), await makeFolder(t)];
}

testDatabases(
  'shared folder: it belongs to the database that is first, also to several servers of it',
  async (db, t) => {
    const [folder] = await makeFolders(t);
    await Promise.all([claim(db, folder), claim(db, folder), claim(db, folder)]);
    await claim(db, folder);
    assert.deepEqual((await readdir(folder)).sort(), ['cryolift.json', 'files', 'probe', 'staging']);
    const other = await makeDatabase(t);
    await assert.rejects(claim(other, folder), refusal(/^CRYOLIFT_STORAGE_URL: .* belongs to another database/));
    await assert.rejects(
      openDisk(folder, () => {}),
      refusal(/is the shared folder of a PostgreSQL database/),
    );
  },
);

testDatabases('shared folder: an empty mount point is not taken for the folder of the database', async (db, t) => {
  const [folder, empty] = await makeFolders(t);
  await claim(db, folder);
  await assert.rejects(claim(db, empty), refusal(/^CRYOLIFT_STORAGE_URL: .*; is the file system mounted\?/));
  await claim(db, folder);
});

testDatabases('shared folder: a copy is the folder of the database, with its mark or with files', async (db, t) => {
  const [folder, copy] = await makeFolders(t);
  await claim(db, folder);
  await cp(folder, copy, { recursive: true });
  await claim(db, copy);
  await rm(join(copy, 'cryolift.json'));
  await mkdir(join(copy, 'files', 'id'));
  await writeFile(join(copy, 'files', 'id', 'movie.mrc'), '');
  await claim(db, copy);
});

testDatabases(
  'shared folder: of two servers that are started at once with two folders, one is refused',
  async (db, t) => {
    const folders = await makeFolders(t);
    const outcomes = await Promise.allSettled(folders.map((folder) => claim(db, folder)));
    const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    assert.equal(reasons.length, 1);
    assert.match(String(reasons[0]), /is not the folder of this database/);
  },
);
