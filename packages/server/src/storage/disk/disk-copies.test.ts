import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { BytesGone } from '../errors.ts';
import { hasCode, makeBytes, placeOf, publishWhole, sha256Of, upload } from '../test-storage.ts';
import { DiskStorage } from './disk-storage.ts';
import { type DiskCalls, SYSTEM_CALLS } from './file-system.ts';
import { Digester } from './threads/digester.ts';
import { Writers } from './threads/writers.ts';

async function makeStore(t: TestContext, calls: Partial<DiskCalls>) {
  const root = await mkdtemp(join(tmpdir(), 'cryolift-copies-'));
  const lose = (id: string) => assert.fail(`lost ${id}`);
  const storage = await DiskStorage.open(root, new Writers(2, 8), new Digester(), lose, { ...SYSTEM_CALLS, ...calls });
  t.after(async () => {
    await storage.close();
    await rm(root, { recursive: true, force: true });
  });
  return { storage, root };
}

const failing = (code: string) => () => Promise.reject(Object.assign(new Error(code), { code }));
const bytes = makeBytes(1_500_000);

for (const code of ['EMLINK', 'EPERM', 'EXDEV', 'ENOSYS', 'EIO']) {
  test(`disk copies: where a link fails with ${code}, the bytes are copied and compared`, async (t) => {
    const { storage, root } = await makeStore(t, { link: failing(code) });
    const { place: source } = await publishWhole(storage, 'source', bytes);
    const [to, other] = [upload('copy', bytes.length), upload('other', bytes.length)];
    await storage.uploads.publishCopy(to, source, placeOf(to), sha256Of(bytes));
    const path = storage.files.locate(placeOf(to));
    const found = await stat(new URL(path));
    assert.deepEqual([found.nlink, found.mode & 0o777], [1, 0o400]);
    assert.ok((await readFile(new URL(path))).equals(bytes));
    // Bytes that have changed since are not published again.
    const changed = new URL(storage.files.locate(source));
    await writeFile(changed, makeBytes(bytes.length, 7), { mode: 0o600 });
    const copy = storage.uploads.publishCopy(other, source, placeOf(other), sha256Of(bytes));
    await assert.rejects(copy, BytesGone);
    assert.equal(await storage.files.stat(placeOf(other)), null);
    assert.deepEqual(await readdir(join(root, 'staging')), []);
  });
}

test('disk copies: on a full disk nothing is left of the bytes', async (t) => {
  const calls = { link: failing('EMLINK'), sync: SYSTEM_CALLS.sync };
  const { storage, root } = await makeStore(t, { ...calls, truncate: failing('ENOSPC') });
  const path = join(root, 'files', 'source');
  await SYSTEM_CALLS.makeFolder(path);
  await writeFile(join(path, 'µ graph.mrc'), bytes);
  const to = upload('copy', bytes.length);
  const source = { ...placeOf(to), fileId: 'source' };
  const copy = storage.uploads.publishCopy(to, source, placeOf(to), sha256Of(bytes));
  await assert.rejects(copy, hasCode('insufficient_storage'));
  assert.deepEqual(await readdir(join(root, 'staging')), []);
});

test('disk copies: a call that was interrupted after the rename of the bytes is finished', async (t) => {
  let fails = true;
  const { storage } = await makeStore(t, {
    link: failing('EMLINK'),
    setMode: async (path, mode) => {
      if (fails && path.includes('of-copy')) throw Object.assign(new Error('EIO'), { code: 'EIO' });
      await SYSTEM_CALLS.setMode(path, mode);
    },
  });
  const { place: source } = await publishWhole(storage, 'source', bytes);
  const to = upload('copy', bytes.length);
  const copy = () => storage.uploads.publishCopy(to, source, placeOf(to), sha256Of(bytes));
  await assert.rejects(copy(), hasCode('storage_unavailable'));
  fails = false;
  await copy();
  assert.equal((await stat(new URL(storage.files.locate(placeOf(to))))).mode & 0o777, 0o400);
});
