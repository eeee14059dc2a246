import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { SourceError } from '../failures.ts';
import { defaultStateFolder, FileResumeStore } from './file-resume-store.ts';
import { FileSource } from './file-source.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cryolift-client-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

function fault(code: string, pattern: RegExp) {
  return (error: unknown) => error instanceof SourceError && error.code === code && pattern.test(error.message);
}

test('source: reads any range; its location is the file name in the real folder', async () => {
  await mkdir(join(folder, 'real'));
  await writeFile(join(folder, 'real', 'a.mrc'), '0123456789');
  await symlink('a.mrc', join(folder, 'real', 'link.mrc'));
  await symlink('real', join(folder, 'other'));
  const source = await FileSource.open(join(folder, 'other', 'link.mrc'));
  assert.deepEqual([source.name, source.sizeBytes], ['link.mrc', 10]);
  assert.ok(source.location.endsWith('/real/link.mrc'));
  const into = new Uint8Array(4);
  const sha256 = await source.read(3, into);
  assert.equal(Buffer.from(into).toString(), '3456');
  assert.ok(createHash('sha256').update('3456').digest().equals(sha256));
  await source.close();
});

test('source: a large part is hashed in chunks, and read again as a body', async () => {
  const bytes = Buffer.alloc(5 * 1024 * 1024 + 7, 'abcdefg');
  const path = join(folder, 'large.mrc');
  await writeFile(path, bytes);
  const source = await FileSource.open(path);
  for (const [offset, length] of [
    [0, bytes.length],
    [3, 2 * 1024 * 1024],
    [11, 1],
    [5, 0],
  ] as const) {
    const part = bytes.subarray(offset, offset + length);
    assert.ok(
      createHash('sha256')
        .update(part)
        .digest()
        .equals(await source.digest(offset, length)),
      `${length}`,
    );
    const whole = new Uint8Array(length);
    const digest = await source.read(offset, whole);
    assert.ok(createHash('sha256').update(part).digest().equals(digest), `read ${length}`);
    assert.ok(part.equals(whole));
    const into = new Uint8Array(Math.min(length, 1000));
    const body = source.body(offset, length);
    await body.fill(length - into.length, into);
    assert.ok(part.subarray(length - into.length).equals(into));
    assert.equal(body.length, length);
  }
  await assert.rejects(source.digest(bytes.length - 5, 10), fault('source_changed', /shorter/));
  await source.close();
});

test('source: detects changes of its file', async () => {
  const path = join(folder, 'a.mrc');
  await writeFile(path, '0123456789');
  const source = await FileSource.open(path);
  const { sizeBytes, modifiedMs, identity } = source;
  assert.deepEqual(await source.stat(), { sizeBytes, modifiedMs, identity });
  await utimes(path, 1, 1);
  const touched = await source.stat();
  assert.equal(touched.modifiedMs, 1000);
  assert.notEqual(touched.identity, identity);
  await truncate(path, 5);
  assert.equal((await source.stat()).sizeBytes, 5);
  await assert.rejects(source.read(0, new Uint8Array(10)), fault('source_changed', /shorter/));
  await source.close();
});

test('source: a changed file with its old time has another identity', async () => {
  const path = join(folder, 'a.mrc');
  await writeFile(path, '0123456789');
  await utimes(path, 1_700_000_000, 1_700_000_000);
  const source = await FileSource.open(path);
  await writeFile(path, '9876543210');
  await utimes(path, 1_700_000_000, 1_700_000_000);
  const now = await source.stat();
  assert.deepEqual([now.sizeBytes, now.modifiedMs], [source.sizeBytes, source.modifiedMs]);
  assert.notEqual(now.identity, source.identity);
  await source.close();
});

test('source: the error for a path that is not a regular file names its kind', async () => {
  await assert.rejects(FileSource.open(folder), fault('source_unreadable', /not a regular file/));
  await assert.rejects(FileSource.open(join(folder, 'no')), fault('source_unreadable', /no such file/));
});

const KEY = { server: 'http://a', owner: 'ada', location: '/d/x.mrc' };
const RECORD = {
  ...KEY,
  sizeBytes: 5,
  modifiedMs: 1.5,
  identity: '1:2:3',
  fingerprint: 'v1-0',
  openedWith: 'v1-0',
  uploadId: 'u1',
};

test('resume store: has a record per server, owner and file that only its user can read', async () => {
  const resumeStore = new FileResumeStore(join(folder, 'state', 'uploads'));
  assert.equal(await resumeStore.load(KEY), null);
  await resumeStore.save(RECORD);
  await resumeStore.save({ ...RECORD, server: 'http://b', uploadId: 'u2' });
  await resumeStore.save({ ...RECORD, owner: 'bob', uploadId: 'u4' });
  await resumeStore.save({ ...RECORD, uploadId: 'u3' });
  assert.equal((await resumeStore.load(KEY))?.uploadId, 'u3');
  assert.equal((await resumeStore.load({ ...KEY, server: 'http://b' }))?.uploadId, 'u2');
  assert.equal((await resumeStore.load({ ...KEY, owner: 'bob' }))?.uploadId, 'u4');
  const names = await readdir(join(folder, 'state', 'uploads'));
  assert.equal(names.length, 3);
  for (const name of names) assert.equal((await stat(join(folder, 'state', 'uploads', name))).mode & 0o777, 0o600);
  await resumeStore.forget(KEY);
  await resumeStore.forget(KEY);
  assert.equal(await resumeStore.load(KEY), null);
});

test('resume store: an unreadable record counts as none', async () => {
  const resumeStore = new FileResumeStore(folder);
  await resumeStore.save(RECORD);
  const [name = ''] = await readdir(folder);
  const text = await readFile(join(folder, name), 'utf8');
  for (const broken of ['', text.slice(0, 20), 'null', '{}']) {
    await writeFile(join(folder, name), broken);
    assert.equal(await resumeStore.load(KEY), null, broken);
  }
});

test('resume store: a failed write is reported, and the earlier record is kept', async () => {
  const resumeStore = new FileResumeStore(folder);
  await resumeStore.save(RECORD);
  const [name = ''] = await readdir(folder);
  await mkdir(join(folder, `${name}.${process.pid}.new`));
  await assert.rejects(resumeStore.save({ ...RECORD, uploadId: 'u2' }));
  assert.equal((await resumeStore.load(KEY))?.uploadId, 'u1');
});

test('resume store: the state folder follows XDG', () => {
  assert.equal(defaultStateFolder({ XDG_STATE_HOME: '/s' }), '/s/cryolift/uploads');
  assert.match(defaultStateFolder({}), /\/\.local\/state\/cryolift\/uploads$/);
});
