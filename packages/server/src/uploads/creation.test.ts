import assert from 'node:assert/strict';
import { mkdir, rmdir } from 'node:fs/promises';
import { test } from 'node:test';
import { completeUpload } from './completion.ts';
import { openUpload } from './creation.ts';
import { makeUploads, readRow, sendPart, type TestUploads } from './test-uploads.ts';

const request = { filename: 'a.bin', size: 950, part_size: 100, fingerprint: 'f' };

/** Makes the creation of the next staging file fail. @returns a function that ends this. */
async function obstruct(context: TestUploads): Promise<() => Promise<void>> {
  const newId = context.newId;
  const id = newId();
  const ids = [id];
  Object.assign(context, { newId: () => ids.shift() ?? newId() });
  await mkdir(context.stagedPath(id));
  return () => rmdir(context.stagedPath(id));
}

test('init: an upload that a second init found stays open, also when its staging file cannot be created', async (t) => {
  for (let queue = 0; queue <= 40; queue += 2) {
    const context = await makeUploads(t);
    const clear = await obstruct(context);
    // It may fail, but the upload that the other init has returned must stay.
    const first = openUpload(context, 'ada', request, null).catch(() => null);
    for (let turn = 0; turn < queue; turn++) await null;
    const { row } = await openUpload(context, 'ada', request, null);
    await first;
    assert.equal((await readRow(context, row.id)).status, 'pending', `${queue} queue`);
    await clear();
    for (let idx = 0; idx < row.part_count; idx++) await sendPart(context, row, idx);
    assert.equal((await completeUpload(context, { owner: 'ada' }, row.id, undefined, 'r')).kind, 'completed');
    await context.storage.close();
  }
});

test('init: a repeated init with its key finds an upload that accepts parts', async (t) => {
  const context = await makeUploads(t);
  const clear = await obstruct(context);
  await openUpload(context, 'ada', request, 'key').catch(() => null);
  await clear();
  const { row } = await openUpload(context, 'ada', request, 'key');
  assert.equal(row.status, 'pending');
  assert.equal((await sendPart(context, row, 0)).received_parts, 1);
});

test('init: the error of a staging file that cannot be created is returned for its first part', async (t) => {
  const context = await makeUploads(t);
  const clear = await obstruct(context);
  const { row } = await openUpload(context, 'ada', request, null);
  await assert.rejects(sendPart(context, row, 0), { code: 'storage_unavailable' });
  await clear();
  assert.equal((await sendPart(context, row, 0)).received_parts, 1);
});
