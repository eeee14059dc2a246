/** Downloads to a target that another program holds. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { lockFolder } from '../folder-lock.ts';
import { holdFile, pretendWindows } from '../test-held.ts';
import { download } from './download.ts';
import { BYTES, FILE, FileServer, isFault } from './test-download.ts';

let folder: string;
let path: string;
let server: FileServer;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cryolift-client-'));
  path = join(folder, 'back.mrc');
  server = new FileServer();
  await writeFile(path, 'before');
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function replace(): Promise<void> {
  await download(server.api, FILE, { path, replace: true, lock: lockFolder });
}

test('download: replaces a file as soon as the program that has it open closes it', async (t) => {
  pretendWindows(t);
  const holding = holdFile(t, 'rename', 'back.mrc', 3, 'EPERM');
  await replace();
  assert.equal(holding.refused, 3);
  assert.ok((await readFile(path)).equals(BYTES));
  assert.deepEqual(await readdir(folder), ['back.mrc']);
});

test('download: a file that stays open is kept, and so are the downloaded bytes', async (t) => {
  const holding = holdFile(t, 'rename', 'back.mrc');
  await assert.rejects(replace(), isFault('target_in_use'));
  assert.equal(await readFile(path, 'utf8'), 'before');
  holding.release();
  server = new FileServer();
  await replace();
  assert.deepEqual(server.asked, []);
  assert.ok((await readFile(path)).equals(BYTES));
});

test('download: is done although the folder of its parts cannot be removed', async (t) => {
  await rm(path);
  holdFile(t, 'unlink', 'bytes');
  holdFile(t, 'rm', '.old');
  await replace();
  assert.ok((await readFile(path)).equals(BYTES));
});
