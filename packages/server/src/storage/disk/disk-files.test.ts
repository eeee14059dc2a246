/** Published files that cannot be read as they should. */
import assert from 'node:assert/strict';
import { chmod, mkdir, symlink, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasCode, makeBytes, placeOf, readAll, storePart, upload } from '../test-storage.ts';
import { makeStore } from './test-store.ts';

test('disk files: an unreachable file is a storage error, not a missing file', async (t) => {
  const { storage, root } = await makeStore(t);
  const file = placeOf(upload('loop', 10));
  // A link to itself: the system answers ELOOP, also to root.
  await symlink(file.fileId, join(root, 'files', file.fileId));
  await symlink('previews', join(root, 'previews'));
  await assert.rejects(storage.files.stat(file), hasCode('storage_unavailable'));
  await assert.rejects(storage.files.read(file, { start: 0, end: 9 }), hasCode('storage_unavailable'));
  await assert.rejects(storage.previews.read(file.fileId, 'p'), hasCode('storage_unavailable'));
  assert.equal(await storage.files.stat(placeOf(upload('nobody', 10))), null);
});

test('disk files: a read that fails in the middle of a file is a storage error', async (t) => {
  const { storage, root } = await makeStore(t);
  const file = placeOf(upload('folder', 10));
  // The system opens a folder, and refuses to read it.
  await mkdir(join(root, 'files', file.fileId, file.filename), { recursive: true });
  const readable = await storage.files.read(file, { start: 0, end: 9 });
  await assert.rejects(async () => readable && (await readable.toArray()), hasCode('storage_unavailable'));
});

test('disk files: a file that is too short ends with an error', async (t) => {
  const { storage, root } = await makeStore(t);
  const to = upload('cut', 10);
  await storePart(storage, to, 0, makeBytes(10));
  await storage.uploads.publish(to, placeOf(to));
  const path = join(root, 'files', placeOf(to).fileId, placeOf(to).filename);
  await chmod(path, 0o600);
  await truncate(path, 5);
  await assert.rejects(readAll(storage, placeOf(to)), hasCode('storage_unavailable'));
});

test('disk files: pictures are removed while others are being kept', async (t) => {
  const { storage } = await makeStore(t);
  const picture = makeBytes(1000);
  for (let round = 0; round < 200; round++) {
    const names = Array.from({ length: 6 }, (_, index) => `picture-${index}`);
    // One that is kept too late may find no folder.
    const kept = names.map((name) => storage.previews.keep('file', name, picture).catch(() => {}));
    await storage.previews.remove('file');
    await Promise.all(kept);
  }
  await storage.previews.remove('file');
  assert.deepEqual(await storage.previews.list(), []);
});
