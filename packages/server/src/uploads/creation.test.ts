import assert from 'node:assert/strict';
import { mkdir, rmdir } from 'node:fs/promises';
import { test } from 'node:test';
import { completeUpload } from './completion.ts';
import { openUpload } from './creation.ts';
import { makeRoom, readRow, sendPart, type TestRoom } from './test-uploads.ts';

const request = { filename: 'a.bin', size: 950, part_size: 100, fingerprint: 'f' };

/** The staging file of the upload that is opened next cannot be made. @returns what ends that. */
async function obstruct(room: TestRoom): Promise<() => Promise<void>> {
  const newId = room.newId;
  const id = newId();
  const ids = [id];
  Object.assign(room, { newId: () => ids.shift() ?? newId() });
  await mkdir(room.stagedPath(id));
  return () => rmdir(room.stagedPath(id));
}

test('an upload that a second init is given stays open, also when its staging file cannot be made', async (context) => {
  for (let turns = 0; turns <= 40; turns += 2) {
    const room = await makeRoom(context);
    const clear = await obstruct(room);
    // It may fail, but not at the cost of who was told that there is an upload to go on with.
    const first = openUpload(room, 'ada', request, null).catch(() => null);
    for (let turn = 0; turn < turns; turn++) await null;
    const { row } = await openUpload(room, 'ada', request, null);
    await first;
    assert.equal((await readRow(room, row.id)).status, 'pending', `${turns} turns`);
    await clear();
    for (let idx = 0; idx < row.part_count; idx++) await sendPart(room, row, idx);
    assert.equal((await completeUpload(room, { owner: 'ada' }, row.id, undefined, 'r')).kind, 'completed');
    await room.store.close();
  }
});

test('an init that is repeated with its key finds an upload that takes parts', async (context) => {
  const room = await makeRoom(context);
  const clear = await obstruct(room);
  await openUpload(room, 'ada', request, 'key').catch(() => null);
  await clear();
  const { row } = await openUpload(room, 'ada', request, 'key');
  assert.equal(row.status, 'pending');
  assert.equal((await sendPart(room, row, 0)).received_parts, 1);
});

test('a staging file that cannot be made is told to who sends a part', async (context) => {
  const room = await makeRoom(context);
  const clear = await obstruct(room);
  const { row } = await openUpload(room, 'ada', request, null);
  await assert.rejects(sendPart(room, row, 0), { code: 'storage_unavailable' });
  await clear();
  assert.equal((await sendPart(room, row, 0)).received_parts, 1);
});
