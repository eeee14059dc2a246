/** What a publish flushes, and when: after a power loss a name must not lead to bytes that are not there. */
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { BytesGone } from '../errors.ts';
import { hasCode, makeBytes, placeOf, storePart, upload } from '../test-storage.ts';
import { DiskStorage } from './disk-storage.ts';
import { FailingCalls } from './test-failing-calls.ts';
import { Digester } from './threads/digester.ts';
import { Writers } from './threads/writers.ts';

/** Of the main thread, in the order in which they succeed. */
function noteSteps(t: TestContext): string[] {
  const made: string[] = [];
  const note = (message: unknown) => {
    const { name, when } = message as { name: string; when: string };
    if (when === 'after') made.push(name);
  };
  subscribe('cryolift:durable-step', note);
  t.after(() => unsubscribe('cryolift:durable-step', note));
  return made;
}

async function makeStorage(t: TestContext, root: string): Promise<DiskStorage> {
  const lost = (id: string) => assert.fail(`lost ${id}`);
  const storage = await DiskStorage.open(root, new Writers(1, 4), new Digester(), lost);
  t.after(() => storage.close());
  return storage;
}

/** The steps of one part and a publish, but for the making of the staging file. */
async function publishOf(t: TestContext, isWrittenElsewhere: boolean): Promise<string[]> {
  const root = await mkdtemp(join(tmpdir(), 'cryolift-publish-'));
  t.after(() => rm(root, { recursive: true }));
  const to = upload('ordered', 1000);
  const first = await makeStorage(t, root);
  const storage = isWrittenElsewhere ? await makeStorage(t, root) : first;
  const made = noteSteps(t);
  await storePart(first, to, 0, makeBytes(1000));
  await storage.uploads.publish(to, placeOf(to));
  return made.filter((step) => !['disk.create', 'disk.truncate', 'disk.sync-folder'].includes(step));
}

const AFTER = ['disk.make-folder', 'disk.rename', 'disk.set-mode', 'disk.sync', 'disk.sync', 'disk.sync'];

// Invariants 2, 3
test('publish: the file is flushed before its rename, and the three folders after it', async (t) => {
  assert.deepEqual(await publishOf(t, false), ['disk.flush', ...AFTER]);
});

// Invariants 2, 3
test('publish: a file that an earlier process has written is flushed, too', async (t) => {
  const steps = await publishOf(t, true);
  // The process that has written it may flush it by itself, before or meanwhile.
  assert.deepEqual(
    steps.filter((step) => step !== 'disk.flush'),
    ['disk.sync', ...AFTER],
  );
});

// Invariant 2
test('publish: when the flush of what an earlier process has written fails, its bytes are lost', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'cryolift-publish-'));
  t.after(() => rm(root, { recursive: true }));
  const to = upload('ordered', 1000);
  await storePart(await makeStorage(t, root), to, 0, makeBytes(1000));
  const failing = new FailingCalls();
  const lost: string[] = [];
  const noteLost = (id: string) => void lost.push(id);
  const storage = await DiskStorage.open(root, new Writers(1, 4), new Digester(), noteLost, failing.calls);
  t.after(() => storage.close());
  // open, examine, sync
  failing.arm(2, 'EIO');
  await assert.rejects(storage.uploads.publish(to, placeOf(to)), hasCode('storage_unavailable'));
  assert.equal(failing.made[2], 'sync');
  assert.deepEqual(lost, ['ordered']);
  failing.arm(null);
  await assert.rejects(storage.uploads.publish(to, placeOf(to)), BytesGone);
});
