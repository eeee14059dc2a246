import assert from 'node:assert/strict';
import { stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeFolder } from '../test-rows.ts';
import { Reserve } from './reserve.ts';

const MIB = 1024 * 1024;

async function makeReserve(t: TestContext) {
  const folder = await makeFolder(t);
  const { bavail, bsize } = await statfs(folder);
  assert.ok(bavail * bsize > 64 * MIB, 'this test needs some free space');
  const path = join(folder, 'cryolift.reserve');
  return { reserve: new Reserve(join(folder, 'x.sqlite')), path };
}

test('reserve: created once when there is space, and can be released', async (t) => {
  const { reserve, path } = await makeReserve(t);
  assert.equal(await reserve.giveUp(), false);
  assert.equal(await reserve.adjust(), 'kept');
  const { size, mode } = await stat(path);
  assert.deepEqual([size, mode & 0o777], [8 * MIB, 0o600]);
  assert.equal(await reserve.adjust(), null);
  assert.equal(await reserve.giveUp(), true);
  await assert.rejects(stat(path));
});

test('reserve: a released or incomplete file is created again', async (t) => {
  const { reserve, path } = await makeReserve(t);
  await writeFile(path, 'cut off');
  await reserve.takeBack();
  assert.equal((await stat(path)).size, 8 * MIB);
  await reserve.giveUp();
  await reserve.takeBack();
  assert.equal((await stat(path)).size, 8 * MIB);
});
