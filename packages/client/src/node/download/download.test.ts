import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import {
  chmod,
  chown,
  type FileHandle,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { ServerError } from '../../failures.ts';
import { digest, failure, lost } from '../../test-server.ts';
import { lockFolder } from '../folder-lock.ts';
import { download, hashPath } from './download.ts';
import { BYTES, FILE, FileServer, isFault, isIntegrity, SHA256 } from './test-download.ts';

const NOBODY = 65_534;

let folder: string;
let path: string;
let server: FileServer;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cryolift-client-'));
  path = join(folder, 'back.mrc');
  server = new FileServer();
  mock.restoreAll();
  mock.method(Math, 'random', () => 0);
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

function at(place: string) {
  return { path: place, lock: lockFolder };
}

/** The folder of the incomplete download. */
async function findPartial(): Promise<string> {
  const names = (await readdir(folder)).filter((name) => /^\.cryolift-[0-9a-f]{32}\.part$/.test(name));
  assert.equal(names.length, 1, names.join());
  return join(folder, names[0] as string);
}

/** Interrupts a download after one range. */
async function downloadOneRange(): Promise<void> {
  const controller = new AbortController();
  server = new FileServer();
  server.tamper = (_range, answer) => {
    if (server.asked.length > 1) controller.abort(new Error('Ctrl-C'));
    controller.signal.throwIfAborted();
    return answer();
  };
  await assert.rejects(download(server.api, FILE, at(path), { parallel: 1, signal: controller.signal }), /Ctrl-C/);
  assert.ok((await readdir(await findPartial())).includes('journal.json'));
  server = new FileServer();
}

test('download: gets each range once, and leaves only the file', async () => {
  const reports: number[] = [];
  await download(server.api, FILE, at(path), { onProgress: (doneBytes) => reports.push(doneBytes) });
  assert.ok((await readFile(path)).equals(BYTES));
  assert.equal(server.asked.length, 3);
  assert.deepEqual(await readdir(folder), ['back.mrc']);
  assert.deepEqual([reports.at(0), reports.at(-1)], [0, BYTES.length]);
  assert.equal(await hashPath(path), SHA256);
});

test('download: resumes an interrupted download', async () => {
  await downloadOneRange();
  await download(server.api, FILE, at(path));
  assert.ok((await readFile(path)).equals(BYTES));
  assert.equal(server.asked.length, 2);
});

test('download: starts again when the bytes are missing or the journal belongs to another file', async () => {
  await downloadOneRange();
  await rm(join(await findPartial(), 'bytes'));
  await download(server.api, FILE, at(path));
  assert.equal(server.asked.length, 3);

  await rm(path);
  await downloadOneRange();
  const journalPath = join(await findPartial(), 'journal.json');
  const journal = await readFile(journalPath, 'utf8');
  await writeFile(journalPath, journal.replace(SHA256, '0'.repeat(64)));
  await download(server.api, FILE, at(path));
  assert.ok((await readFile(path)).equals(BYTES));
  assert.equal(server.asked.length, 3);
});

test('download: each range appends one line to the journal', async () => {
  const journals: [number, string][] = [];
  server.tamper = (_range, answer) => {
    if (server.asked.length > 1) {
      const journal = join(folder, readdirSync(folder)[0] as string, 'journal.json');
      journals.push([statSync(journal).ino, readFileSync(journal, 'utf8')]);
    }
    return answer();
  };
  await download(server.api, FILE, at(path), { parallel: 1 });
  const [[firstInode, first], [secondInode, second]] = journals as [[number, string], [number, string]];
  assert.equal(secondInode, firstInode);
  assert.equal(second, `${first}1\n`);
});

// Invariant 2
test('download: a range is noted when it is on the disk, and the file gets its name after a flush', async () => {
  const file = await open(path, 'w');
  const calls = Object.getPrototypeOf(file) as FileHandle;
  await file.close();
  await rm(path);
  const made: string[] = [];
  for (const name of ['datasync', 'sync', 'appendFile'] as const) {
    const call = calls[name] as (...values: unknown[]) => Promise<void>;
    mock.method(calls, name, async function (this: FileHandle, ...values: unknown[]) {
      await call.apply(this, values);
      // The file appears at its end.
      made.push(name === 'sync' && existsSync(path) ? 'folder' : name);
    });
  }
  await download(server.api, FILE, at(path), { parallel: 1 });
  const range = ['datasync', 'appendFile'];
  assert.deepEqual(made, ['appendFile', ...range, ...range, ...range, 'sync', 'folder']);
});

test('download: an incomplete line of the journal is ignored, and later lines are read after a resume', async () => {
  await downloadOneRange();
  const journal = join(await findPartial(), 'journal.json');
  const whole = await readFile(journal, 'utf8');
  for (const torn of ['1', '\0\0\0\n2\n']) {
    await writeFile(journal, `${whole}${torn}`);
    const controller = new AbortController();
    server = new FileServer();
    server.tamper = (_range, answer) => {
      if (server.asked.length > 1) controller.abort(new Error('Ctrl-C'));
      controller.signal.throwIfAborted();
      return answer();
    };
    await assert.rejects(download(server.api, FILE, at(path), { parallel: 1, signal: controller.signal }), /Ctrl-C/);
    assert.deepEqual(
      server.asked.map((range) => range.split('-')[0]),
      ['bytes=8388608', 'bytes=16777216'],
    );
    assert.equal(await readFile(journal, 'utf8'), `${whole}1\n`);
  }
  server = new FileServer();
  await download(server.api, FILE, at(path));
  assert.ok((await readFile(path)).equals(BYTES));
});

test('download: requests a range again when the reply was lost or too short', async () => {
  server.tamper = (_range, answer) => {
    if (server.asked.length === 1) lost();
    const reply = answer();
    return server.asked.length === 2 ? { ...reply, body: reply.body.subarray(1) } : reply;
  };
  await download(server.api, FILE, at(path));
  assert.ok((await readFile(path)).equals(BYTES));
  assert.equal(server.asked.length, 5);
});

test('download: bytes with another digest are refused', async () => {
  server.tamper = (_range, answer) => ({ ...answer(), body: randomBytes(answer().body.length) });
  await assert.rejects(download(server.api, FILE, at(path)), isIntegrity);
  assert.deepEqual(await readdir(folder), []);
});

test('download: a whole file instead of a range is refused', async () => {
  server.tamper = () => ({ status: 200, headers: {}, body: BYTES });
  await assert.rejects(download(server.api, FILE, at(path)), isIntegrity);
  assert.equal((await readdir(folder)).includes('back.mrc'), false);
});

test('download: a file that was deleted meanwhile ends the download', async () => {
  server.tamper = () => failure('file_not_found');
  await assert.rejects(
    download(server.api, FILE, at(path)),
    (error) => error instanceof ServerError && error.code === 'file_not_found',
  );
});

test('download: a permanent failure of one range ends it while another range waits', async () => {
  server.tamper = (range) => (range.startsWith('bytes=0-') ? lost() : failure('file_not_found'));
  await assert.rejects(download(server.api, FILE, at(path)), ServerError);
  assert.deepEqual(await readdir(folder), []);
});

test('download: an empty file is downloaded', async () => {
  const empty = { ...FILE, size: 0, sha256: digest(Buffer.alloc(0)).toString('hex') };
  await download(server.api, empty, at(path));
  assert.equal((await readFile(path)).length, 0);
});

test('download: files of the user with similar names are unchanged', async () => {
  const own = ['back.mrc.part', 'back.mrc.part.json', 'back.mrc.part.json.new', '.back.mrc.part'];
  for (const name of own) await writeFile(join(folder, name), name);
  await download(server.api, FILE, at(path));
  for (const name of own) assert.equal(await readFile(join(folder, name), 'utf8'), name);
  assert.deepEqual((await readdir(folder)).sort(), ['back.mrc', ...own].sort());
});

test('download: a second file of the same name does not replace the first, and its bytes are kept', async () => {
  const arrived = Promise.withResolvers<void>();
  const other = { ...FILE, file_id: 'f2' };
  const pausing = new FileServer();
  pausing.ready = arrived.promise;
  const second = download(pausing.api, other, at(path));
  await download(server.api, FILE, at(path));
  const { ino } = await stat(path);
  arrived.resolve();
  await assert.rejects(second, isFault('file_exists'));
  assert.equal((await stat(path)).ino, ino);

  server = new FileServer();
  await download(server.api, other, at(join(folder, 'other.mrc')));
  assert.equal(server.asked.length, 0);
  assert.deepEqual((await readdir(folder)).sort(), ['back.mrc', 'other.mrc']);
});

test('download: a second download of the same file is refused, also with another name', async () => {
  const answered = Promise.withResolvers<void>();
  server.ready = answered.promise;
  const first = download(server.api, FILE, at(path));
  while (server.asked.length === 0) await new Promise(setImmediate);
  for (const name of ['back.mrc', 'again.mrc']) {
    await assert.rejects(download(server.api, FILE, at(join(folder, name))), isFault('download_running'));
  }
  answered.resolve();
  await first;
  assert.ok((await readFile(path)).equals(BYTES));
  assert.deepEqual(await readdir(folder), ['back.mrc']);
});

test('download: a lock in a removed folder is not valid for the new folder', async () => {
  let calls = 0;
  const lock = (lockPath: string) => {
    const unlock = lockFolder(lockPath);
    // Like an earlier download that ends between the two steps.
    if (calls++ === 0) renameSync(dirname(lockPath), join(folder, 'removed'));
    return unlock;
  };
  await download(server.api, FILE, { path, lock });
  assert.equal(calls, 2);
  assert.deepEqual((await readdir(folder)).sort(), ['back.mrc', 'removed']);
});

test('download: concurrent downloads of one file give one complete file and no temporary files', async () => {
  const names = Array.from({ length: 8 }, (_, idx) => `${idx}.mrc`);
  const outcomes = await Promise.allSettled(names.map((name) => download(server.api, FILE, at(join(folder, name)))));
  const done = names.filter((_, idx) => outcomes[idx]?.status === 'fulfilled');
  assert.ok(done.length > 0);
  assert.deepEqual((await readdir(folder)).sort(), done);
  for (const name of done) assert.equal(await hashPath(join(folder, name)), SHA256);
});

test('download: a folder whose removal was interrupted by a kill is removed', async () => {
  await mkdir(join(folder, `.cryolift-${'a'.repeat(32)}.${'b'.repeat(16)}.old`));
  await download(server.api, FILE, at(path));
  assert.deepEqual(await readdir(folder), ['back.mrc']);
});

test('download: a name of 255 bytes is kept, one of 256 is refused before the download', async () => {
  const longest = `${'ä'.repeat(125)}x.mrc`;
  await download(server.api, FILE, at(join(folder, longest)));
  assert.deepEqual(await readdir(folder), [longest]);
  server = new FileServer();
  await assert.rejects(download(server.api, FILE, at(join(folder, `x${longest}`))), isFault('name_not_possible'));
  assert.equal(server.asked.length, 0);
  assert.deepEqual(await readdir(folder), [longest]);
});

test('download: no files remain when the file is missing on the server', async () => {
  await downloadOneRange();
  server.tamper = () => failure('file_not_found');
  await assert.rejects(download(server.api, FILE, at(path)), ServerError);
  assert.deepEqual(await readdir(folder), []);
});

test('download: works in a folder with write permission and no read permission', async () => {
  const dropBox = join(folder, 'box');
  await mkdir(dropBox);
  await chmod(folder, 0o755);
  const isRoot = process.getuid?.() === 0;
  // Permissions do not apply to root.
  if (isRoot) await chown(dropBox, NOBODY, NOBODY);
  await chmod(dropBox, 0o300);
  if (isRoot) process.seteuid?.(NOBODY);
  try {
    await assert.rejects(readdir(dropBox), { code: 'EACCES' });
    await download(server.api, FILE, at(join(dropBox, 'back.mrc')));
  } finally {
    if (isRoot) process.seteuid?.(0);
    await chmod(dropBox, 0o700);
  }
  assert.deepEqual(await readdir(dropBox), ['back.mrc']);
});
