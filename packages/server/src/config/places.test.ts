import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolder } from '../db/test-rows.ts';
import { inPlace, makeOwnFolder } from './places.ts';
import { SettingError } from './setting-error.ts';

async function explain(folder: string, error: object): Promise<string> {
  const place = { setting: 'CRYOLIFT_STORAGE_URL', folder };
  return await inPlace(place, () => Promise.reject(error)).then(
    () => assert.fail('nothing was thrown'),
    (thrown: unknown) => (thrown instanceof SettingError ? thrown.message : Promise.reject(thrown)),
  );
}

test('places: a failed start names the setting and the remedy', async () => {
  const advice = {
    ENOSPC: /^CRYOLIFT_STORAGE_URL: there is no space left for \/x \(ENOSPC\); free 16 MiB or more on its disk/,
    EDQUOT: /^CRYOLIFT_STORAGE_URL: there is no space left for \/x \(EDQUOT\)/,
    EROFS: /^CRYOLIFT_STORAGE_URL: \/x is on a file system that is mounted read-only \(EROFS\)/,
    EACCES: /^CRYOLIFT_STORAGE_URL: this user cannot write to \/x \(EACCES\)/,
    EIO: /^CRYOLIFT_STORAGE_URL: the disk of \/x has errors \(EIO\)/,
    ELOOP: /^CRYOLIFT_STORAGE_URL: \/x cannot be used \(ELOOP\)/,
  };
  for (const [code, expected] of Object.entries(advice)) {
    assert.match(await explain('/x', Object.assign(new Error(), { code })), expected);
    const explained = new Error('explained before', { cause: Object.assign(new Error(), { code }) });
    assert.match(await explain('/x', explained), expected);
  }
});

test('places: an error of SQLite is explained by a write to the folder', async (t) => {
  const folder = await makeFolder(t);
  const error = Object.assign(new Error('disk I/O error'), { code: 'ERR_SQLITE_ERROR' });
  assert.match(await explain(folder, error), /cannot be used \(ERR_SQLITE_ERROR\)$/);
  assert.deepEqual(await readdir(folder), []);
  await writeFile(join(folder, 'file'), '');
  assert.match(await explain(join(folder, 'file'), error), /cannot be used \(ENOTDIR\)$/);
});

test('places: a bug is not reported as a fault of the folder', async () => {
  const mistake = new TypeError('undefined is not a function');
  await assert.rejects(explain('/x', mistake), mistake);
});

test('places: the names of folders that are made are flushed, those of folders that were there are not', async (t) => {
  const folder = join(await makeFolder(t), 'new', 'data');
  const steps: string[] = [];
  const note = (message: unknown) => {
    const { name, when } = message as { name: string; when: string };
    if (when === 'after') steps.push(name);
  };
  subscribe('cryolift:durable-step', note);
  t.after(() => unsubscribe('cryolift:durable-step', note));
  await makeOwnFolder(folder);
  assert.deepEqual(steps.splice(0), ['place.make-folder', 'file.sync', 'file.sync']);
  await makeOwnFolder(folder);
  assert.deepEqual(steps, ['place.make-folder']);
});
