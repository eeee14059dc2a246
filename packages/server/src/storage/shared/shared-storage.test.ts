/** Two storages on one folder stand for two servers. */
import assert from 'node:assert/strict';
import { chmod, cp, open, readdir, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SYSTEM_CALLS } from '../disk/file-system.ts';
import { BytesGone } from '../errors.ts';
import { describeStorage } from '../test-contract.ts';
import { describeCompression } from '../test-contract-compression.ts';
import { feed, makeBytes, openSink, publishWhole, readAll, sha256Of, stage, UploadUnderTest } from '../test-storage.ts';
import { makeShared } from './test-shared.ts';

const PART = 64 * 1024;

describeStorage('shared folder', (t) => makeShared(t));
describeCompression('shared folder', (t) => makeShared(t));

async function makeTwo(t: TestContext) {
  const one = await makeShared(t);
  const { storage: two } = await makeShared(t, one.root);
  return { one: one.storage, two, root: one.root };
}

/** Writes behind the back of the servers, as a server does that was paused with an open file. */
async function overwrite(path: string, offset: number, bytes: Uint8Array): Promise<void> {
  await chmod(path, 0o600);
  const file = await open(path, 'r+');
  await file.write(bytes, 0, bytes.length, offset);
  await file.close();
}

const all = (partCount: number) => ({ partSizeBytes: PART, selected: new Uint8Array(partCount).fill(1) });

// Invariants 2, 3
test('shared folder: parts that two servers have written make one file, at whichever it is completed', async (t) => {
  const { one, two } = await makeTwo(t);
  const bytes = makeBytes(4 * PART + 9);
  const here = await stage(one, 'both', bytes.length, PART);
  const there = new UploadUnderTest(two, here.to);
  for (const idx of [4, 1, 0, 3, 2]) {
    const part = bytes.subarray(idx * PART, (idx + 1) * PART);
    const sink = await openSink(idx % 2 ? two : one, here.to, idx * PART, part.length);
    await feed(sink, part);
    const committed = await sink.commit();
    for (const upload of [here, there]) upload.note(idx, committed);
  }
  assert.deepEqual((await there.digest()).sha256, sha256Of(bytes));
  const file = await there.publish();
  assert.ok((await readAll(one, file)).equals(bytes));
});

test('shared folder: two servers that publish at once leave one whole, read-only file', async (t) => {
  const { one, two, root } = await makeTwo(t);
  for (let round = 0; round < 20; round++) {
    const bytes = makeBytes(PART, round);
    const here = await stage(one, `round-${round}`, PART);
    await here.storeAll(bytes);
    const there = new UploadUnderTest(two, here.to);
    for (const part of here.parts) there.note(part.idx, part);
    const [file] = await Promise.all([here.publish(), there.publish()]);
    assert.ok((await readAll(two, file)).equals(bytes));
    const { mode } = await stat(join(root, 'files', file.fileId, file.filename));
    assert.equal(mode & 0o777, 0o400);
  }
  assert.deepEqual(await one.uploads.list(), []);
});

test('shared folder: a publish that was interrupted at one server is completed or withdrawn at another', async (t) => {
  const { one, two } = await makeTwo(t);
  const bytes = makeBytes(PART);
  const here = await publishWhole(one, 'cut', bytes);
  const there = new UploadUnderTest(two, here.to);
  for (const part of here.parts) there.note(part.idx, part);
  assert.deepEqual((await there.digest()).sha256, sha256Of(bytes));
  await there.publish();
  await Promise.all([one, two].map((storage) => storage.uploads.withdraw(here.to, here.place)));
  assert.deepEqual(await two.files.list(), []);
  assert.deepEqual(await there.findLost(), []);
});

test('shared folder: a staging file that was made too late does not replace the published file', async (t) => {
  const { one, two } = await makeTwo(t);
  const bytes = makeBytes(PART);
  const upload = await publishWhole(one, 'late', bytes);
  await two.uploads.create(upload.to);
  await two.uploads.publish(upload.to, upload.place);
  assert.ok((await readAll(one, upload.place)).equals(bytes));
});

// Invariant 12
test('shared folder: bytes that another server writes late are found by the digest of the parts', async (t) => {
  const { one, root } = await makeTwo(t);
  const bytes = makeBytes(3 * PART);
  const staged = await stage(one, 'staged', bytes.length, PART);
  await staged.storeAll(bytes);
  await overwrite(join(root, 'staging', 'staged'), PART + 5, Buffer.from([1, 2, 3]));
  const before = await one.uploads.digest(staged.to, staged.place, all(3));
  const differs = (parts: ReadonlyMap<number, Uint8Array>) =>
    staged.parts.filter(({ idx, sha256 }) => Buffer.compare(parts.get(idx) ?? Buffer.alloc(0), sha256) !== 0);
  assert.deepEqual(
    differs(before.parts).map(({ idx }) => idx),
    [1],
  );
  assert.deepEqual(await staged.findLost(), [1]);
  await staged.store(1, bytes.subarray(PART, 2 * PART));
  const file = await staged.publish();
  await overwrite(join(root, 'files', file.fileId, file.filename), 0, Buffer.from([9]));
  const after = await one.lateDigests.digest(file, all(3), new AbortController().signal);
  assert.deepEqual(
    differs(after.parts).map(({ idx }) => idx),
    [0],
  );
});

test('shared folder: a staging file that replaces the one of the parts is read before it is published', async (t) => {
  const { one, root } = await makeTwo(t);
  const bytes = makeBytes(2 * PART);
  const path = join(root, 'staging', 'replaced');
  const upload = await stage(one, 'replaced', bytes.length, PART);
  await upload.storeAll(bytes);
  await rm(path);
  await one.uploads.create(upload.to);
  await assert.rejects(upload.publish(), BytesGone);
  await upload.store(0, bytes.subarray(0, PART));
  await assert.rejects(upload.publish(), BytesGone);
  await upload.store(1, bytes.subarray(PART));
  // A copy has other inodes and the same bytes.
  await cp(path, `${path}.copy`);
  await rename(`${path}.copy`, path);
  assert.ok((await readAll(one, await upload.publish())).equals(bytes));
});

test('shared folder: a digest can be stopped, and a missing file has none', async (t) => {
  const { one } = await makeTwo(t);
  const upload = await publishWhole(one, 'stopped', makeBytes(40 * 1024 * 1024));
  const stop = new AbortController();
  const reason = new Error('enough');
  const digesting = one.lateDigests.digest(upload.place, all(1), stop.signal);
  stop.abort(reason);
  await assert.rejects(digesting, reason);
  await assert.rejects(one.lateDigests.digest(upload.place, all(1), stop.signal), reason);
  await one.files.remove(upload.place.fileId);
  await assert.rejects(one.lateDigests.digest(upload.place, all(1), new AbortController().signal), BytesGone);
});

test('shared folder: what NFS keeps of removed files is neither an upload nor a failure', async (t) => {
  const remove = async (path: string) => {
    await SYSTEM_CALLS.remove(path);
    // As a client of NFS does while a reader has the file open.
    await SYSTEM_CALLS.makeFolder(path);
    await writeFile(join(path, '.nfs0000000000000001'), '');
    throw Object.assign(new Error('not empty'), { code: 'ENOTEMPTY' });
  };
  const { storage, root } = await makeShared(t, undefined, { ...SYSTEM_CALLS, remove });
  const { place } = await publishWhole(storage, 'held', makeBytes(10));
  await storage.files.remove(place.fileId);
  assert.equal(await storage.files.stat(place), null);
  assert.deepEqual(await readdir(join(root, 'files', place.fileId)), ['.nfs0000000000000001']);
  await writeFile(join(root, 'staging', '.nfs0000000000000002'), '');
  assert.deepEqual(await storage.uploads.list(), []);
});

test('shared folder: a staging file that a server which died has left short takes parts', async (t) => {
  const { storage, root } = await makeShared(t);
  const bytes = makeBytes(2 * PART);
  const upload = await stage(storage, 'short', bytes.length, PART);
  await truncate(join(root, 'staging', upload.to.id), 0);
  await upload.storeAll(bytes);
  assert.ok((await readAll(storage, await upload.publish())).equals(bytes));
});

// Invariant 2
test('shared folder: a server that was late with a length cuts nothing off that another one has written', async (t) => {
  const { one, two } = await makeTwo(t);
  const bytes = makeBytes(5000);
  const growing = { id: 'grows', filename: 'a.dat', ref: null, sizeBytes: 0, partSizeBytes: PART, isGrowing: true };
  await one.uploads.create({ ...growing, empty: true });
  const at = (sizeBytes: number) => ({ ...growing, sizeBytes, empty: false });
  const store = async (storage: typeof one, offset: number, end: number) => {
    await storage.pieces.resize(at(end));
    const sink = await storage.pieces.open(at(end), { offset, length: end - offset });
    assert.ok(sink !== 'lost');
    await feed(sink, bytes.subarray(offset, end), 100);
    return { offset, length: end - offset, ...(await sink.commit()) };
  };
  const pieces = [await store(one, 0, 1000), await store(two, 1000, 5000)];
  // It was stopped before this, when the upload had 1,000 bytes.
  await one.pieces.resize(at(1000));
  for (const piece of pieces) assert.deepEqual(await two.pieces.hash(at(5000), piece), piece.sha256);
  await one.pieces.resize({ ...at(5000), isGrowing: false });
  const sink = await two.pieces.open({ ...at(5000), isGrowing: false }, { offset: 0, length: 1 });
  assert.ok(sink !== 'lost');
  await sink.abort();
});
