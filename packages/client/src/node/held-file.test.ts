import assert from 'node:assert/strict';
import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, type TestContext, test } from 'node:test';
import { SourceError } from '../failures.ts';
import { hashPath } from './download/download.ts';
import { placeNew, placeWithoutLinks } from './download/place.ts';
import { FileResumeStore } from './file-resume-store.ts';
import { FileSource } from './file-source.ts';
import { isHeldNow, mayBeHeld, retryWhileHeld } from './held-file.ts';
import { holdFile, pretendWindows, refusal } from './test-held.ts';

let folder: string;
const at = (name: string) => join(folder, name);
const RECORD = {
  ...{ server: 'http://a', owner: 'ada', location: '/d/x.mrc', sizeBytes: 5, modifiedMs: 1.5 },
  ...{ identity: '1:2:3', fingerprint: 'v1-0', openedWith: 'v1-0', uploadId: 'u1' },
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cryolift-held-'));
  await writeFile(at('a.mrc'), 'bytes');
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

function inUse(error: unknown): boolean {
  return error instanceof SourceError && error.code === 'source_in_use' && /program has the file/.test(error.message);
}

test('held file: a call is repeated while the file is held, for 10 s', async (t) => {
  const pauses: number[] = [];
  const { default: timers } = await import('node:timers/promises');
  const { syncBuiltinESMExports } = await import('node:module');
  t.mock.method(timers, 'setTimeout', async (ms: number) => void pauses.push(ms));
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  let calls = 0;
  const fail = async () => {
    calls++;
    throw refusal('open');
  };
  await assert.rejects(retryWhileHeld(fail), { code: 'EBUSY' });
  assert.equal(calls, pauses.length + 1);
  assert.equal(
    pauses.reduce((sum, ms) => sum + ms, 0),
    10_000,
  );
});

test('held file: any other error, and the signal, end the attempts', async () => {
  let calls = 0;
  const work = async () => {
    throw refusal('open', ++calls === 1 ? 'EBUSY' : 'ENOENT');
  };
  await assert.rejects(retryWhileHeld(work), { code: 'ENOENT' });
  assert.equal(calls, 2);
  const controller = new AbortController();
  const held = async () => {
    controller.abort(new Error('Ctrl-C'));
    throw refusal('open');
  };
  await assert.rejects(retryWhileHeld(held, controller.signal), /Ctrl-C/);
});

test('held file: which errors another program can cause', () => {
  const sqlite = (errcode: number) => Object.assign(new Error('sqlite'), { code: 'ERR_SQLITE_ERROR', errcode });
  const cases: readonly [error: Error, onWindows: boolean, elsewhere: boolean][] = [
    [refusal('open'), true, true],
    [refusal('read', 'EACCES'), true, true],
    [refusal('rename', 'EPERM'), true, false],
    [refusal('unlink', 'EACCES'), true, false],
    [refusal('open', 'EPERM'), false, false],
    [refusal('rename', 'ENOENT'), false, false],
    [sqlite(14), true, false],
    // SQLITE_IOERR_DELETE
    [sqlite(2570), true, false],
    [sqlite(5), false, false],
    [new SourceError('source_in_use', '', ''), true, true],
    [new SourceError('source_unreadable', '', ''), false, false],
  ];
  for (const [error, onWindows, elsewhere] of cases) {
    assert.equal(mayBeHeld(error, 'win32'), onWindows, error.message);
    assert.equal(mayBeHeld(error, 'linux'), elsewhere, error.message);
  }
});

test('held file: a source waits until it can be opened, and else says what to do', async (t) => {
  const holding = holdFile(t, 'open', 'a.mrc', 3);
  const source = await FileSource.open(at('a.mrc'));
  await source.close();
  assert.equal(holding.refused, 3);
  holdFile(t, 'open', 'a.mrc');
  await assert.rejects(FileSource.open(at('a.mrc')), inUse);
  await assert.rejects(hashPath(at('a.mrc')), inUse);
  assert.equal(await isHeldNow(at('a.mrc')), true);
  assert.equal(await isHeldNow(at('b.mrc')), false);
});

test('held file: a locked range is read as soon as it is free', async (t) => {
  const handle = await open(at('a.mrc'));
  let left = 3;
  const prototype = Object.getPrototypeOf(handle);
  const { read } = prototype;
  await handle.close();
  t.mock.method(prototype, 'read', async function (this: unknown, ...args: unknown[]) {
    if (left-- > 0) throw refusal('read');
    return await read.apply(this, args);
  });
  const source = await FileSource.open(at('a.mrc'));
  const into = new Uint8Array(5);
  await source.read(0, into);
  assert.equal(Buffer.from(into).toString(), 'bytes');
  left = 3;
  assert.match(await hashPath(at('a.mrc')), /^[0-9a-f]{64}$/);
  left = 100;
  await assert.rejects(source.read(0, into), inUse);
  await source.close();
});

test('held file: the resume store waits for its record', async (t) => {
  pretendWindows(t);
  const resumeStore = new FileResumeStore(at('state'));
  await resumeStore.save(RECORD);
  const replacing = holdFile(t, 'rename', '.json', 3, 'EPERM');
  await resumeStore.save({ ...RECORD, uploadId: 'u2' });
  const reading = holdFile(t, 'readFile', '.json', 3);
  assert.equal((await resumeStore.load(RECORD))?.uploadId, 'u2');
  const removing = holdFile(t, 'rm', '.json', 3);
  await resumeStore.forget(RECORD);
  assert.deepEqual([replacing.refused, reading.refused, removing.refused], [3, 3, 3]);
  assert.deepEqual(await readdir(at('state')), []);
});

for (const [place, call] of [
  [placeNew, 'unlink'],
  [placeWithoutLinks, 'rename'],
] as const) {
  test(`${place.name}: waits for a file that another program holds`, async (t) => {
    const holding = holdFile(t, call, '.mrc', 3);
    assert.equal(await place(at('a.mrc'), at('b.mrc')), true);
    assert.equal(holding.refused, 3);
    assert.deepEqual(await readdir(folder), ['b.mrc']);
  });
}

test('placeNew: a file that stays held has its new name, too', async (t: TestContext) => {
  holdFile(t, 'unlink', 'a.mrc');
  assert.equal(await placeNew(at('a.mrc'), at('b.mrc')), true);
  assert.equal(await readFile(at('b.mrc'), 'utf8'), 'bytes');
});

test('placeWithoutLinks: leaves no empty file when the file stays held', async (t) => {
  holdFile(t, 'rename', 'b.mrc');
  await assert.rejects(placeWithoutLinks(at('a.mrc'), at('b.mrc')), { code: 'EBUSY' });
  assert.deepEqual(await readdir(folder), ['a.mrc']);
  assert.equal(await readFile(at('a.mrc'), 'utf8'), 'bytes');
});
