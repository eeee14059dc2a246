/** Files of other users at the paths of a download are not followed, replaced or read. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, chown, link, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { lockFolder } from '../folder-lock.ts';
import { download, hashPath } from './download.ts';
import { BYTES, FILE, FileServer, isFault, SHA256 } from './test-download.ts';

const KEY = createHash('sha256').update(`${FILE.file_id}\n${SHA256}`).digest('hex').slice(0, 32);
const NOBODY = 65_534;

let folder: string;
let path: string;
let partial: string;
let server: FileServer;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cryolift-client-'));
  path = join(folder, 'back.mrc');
  partial = join(folder, `.cryolift-${KEY}.part`);
  server = new FileServer();
  await writeFile(join(folder, 'victim'), 'mine');
});

afterEach(async () => {
  assert.equal(await readFile(join(folder, 'victim'), 'utf8'), 'mine');
  await rm(folder, { recursive: true });
});

function at(place: string) {
  return { path: place, lock: lockFolder };
}

test('download: a symbolic link at the path of its folder or bytes is not followed', async () => {
  await mkdir(partial);
  await symlink(join(folder, 'victim'), join(partial, 'bytes'));
  await assert.rejects(download(server.api, FILE, at(path)), isFault('target_unwritable'));
  await rm(partial, { recursive: true, force: true });

  await mkdir(join(folder, 'elsewhere'));
  await symlink('elsewhere', partial);
  await assert.rejects(download(server.api, FILE, at(path)), isFault('target_unwritable'));
  assert.deepEqual(await readdir(join(folder, 'elsewhere')), []);
});

test('download: symbolic links in its folder are not followed, and no other file is replaced', async () => {
  await mkdir(partial);
  await symlink(join(folder, 'victim'), join(partial, 'journal.json'));
  await link(join(folder, 'victim'), join(partial, 'bytes'));
  await mkdir(join(partial, 'name'));
  await symlink(join(folder, 'victim'), join(partial, 'name', 'back.mrc'));
  await download(server.api, FILE, at(path));
  assert.ok((await readFile(path)).equals(BYTES));
  assert.deepEqual((await readdir(folder)).sort(), ['back.mrc', 'victim']);
});

test('download: the folder of another user is not used, also when that user owns the folder around it', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('needs the permission to change owners');
  await mkdir(partial, { mode: 0o777 });
  for (const [each, around] of [
    [NOBODY, 0],
    [NOBODY, NOBODY],
  ] as const) {
    await chown(partial, each, each);
    await chown(folder, around, around);
    await assert.rejects(download(server.api, FILE, at(path)), isFault('target_unwritable'));
    assert.deepEqual((await readdir(folder)).sort(), [`.cryolift-${KEY}.part`, 'victim']);
    assert.deepEqual([await readdir(partial), server.asked], [[], []]);
  }
});

test('download: bytes that a killed run has linked to their final name are not written again', async () => {
  await mkdir(partial);
  await writeFile(join(partial, 'bytes'), 'his');
  await link(join(partial, 'bytes'), path);
  await download(server.api, FILE, at(join(folder, 'again.mrc')));
  assert.equal(await readFile(path, 'utf8'), 'his');
  assert.equal(await hashPath(join(folder, 'again.mrc')), SHA256);
});

test('download: replaces a file only with `force`, and no folder or device', async () => {
  await writeFile(path, 'mine');
  await assert.rejects(download(server.api, FILE, at(path)), isFault('file_exists'));
  assert.equal(await readFile(path, 'utf8'), 'mine');
  assert.equal(server.asked.length, 0);
  assert.deepEqual((await readdir(folder)).sort(), ['back.mrc', 'victim']);
  await download(server.api, FILE, { ...at(path), replace: true });
  assert.ok((await readFile(path)).equals(BYTES));

  const inTheWay = join(folder, 'folder.mrc');
  await mkdir(inTheWay);
  await assert.rejects(download(server.api, FILE, { ...at(inTheWay), replace: true }), isFault('file_exists'));
  const device = join(folder, 'device.mrc');
  await symlink('/dev/null', device);
  await assert.rejects(download(server.api, FILE, { ...at(device), replace: true }), isFault('file_exists'));
});

test('download: a symbolic link at the target counts as existing; --force replaces only the link', async () => {
  for (const to of ['nowhere', 'victim']) {
    await symlink(to, path);
    await assert.rejects(download(server.api, FILE, at(path)), isFault('file_exists'));
    await download(server.api, FILE, { ...at(path), replace: true });
    assert.equal(await hashPath(path), SHA256);
    await rm(path);
  }
  assert.deepEqual(await readdir(folder), ['victim']);
});

test('download: other users cannot read an incomplete download; the file has the mode of a new file', async () => {
  const before = process.umask();
  try {
    for (const umask of [0o022, 0o077, 0o007]) {
      process.umask(umask);
      server = new FileServer();
      await download(server.api, FILE, at(path));
      assert.equal((await stat(path)).mode & 0o777, 0o666 & ~umask);
      await rm(path);
    }
  } finally {
    process.umask(before);
  }
  const stop = new AbortController();
  server.tamper = (_range, answer) => {
    if (server.asked.length > 1) stop.abort(new Error('Ctrl-C'));
    stop.signal.throwIfAborted();
    return answer();
  };
  server.asked = [];
  await assert.rejects(download(server.api, FILE, at(path), { parallel: 1, signal: stop.signal }), /Ctrl-C/);
  assert.equal((await stat(partial)).mode & 0o777, 0o700);
});

test('download: --force keeps the mode of the file that it replaces', async () => {
  for (const mode of [0o600, 0o640, 0o664]) {
    await writeFile(path, 'mine');
    await chmod(path, mode);
    await download(server.api, FILE, { ...at(path), replace: true });
    assert.equal((await stat(path)).mode & 0o777, mode);
  }
});
