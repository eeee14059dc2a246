import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listEvents } from '../db/events.ts';
import { makePostgres, testPostgres } from '../db/test-databases.ts';
import { insertRow, makeDatabase } from '../db/test-rows.ts';
import { findUploadRow, selectUpload } from '../db/uploads/uploads.ts';
import { Bus } from './bus.ts';
import { Outbox } from './outbox.ts';

const ADA = { owner: 'ada' };
const EVENT = { type: 't', subject: 'uploads/u', owner: 'ada', uploadId: 'u', time: 1, data: {} };

// Invariant 4
test('outbox: listeners are notified after the commit, and of nothing that was rolled back', async (t) => {
  const db = await makeDatabase(t);
  const bus = new Bus();
  let notified = 0;
  bus.listen(ADA, { notifyChange: () => notified++, noteParts: () => {} });
  const outbox = new Outbox(db, bus, () => 'id');
  const failed = outbox.transact(async (_tx, emit) => {
    await emit(EVENT);
    throw new Error('rolled back');
  });
  await assert.rejects(failed, /rolled back/);
  assert.deepEqual([notified, await listEvents(db, ADA, 0, 10)], [0, []]);
  await outbox.transact(async (_tx, emit) => {
    await emit(EVENT);
    assert.equal(notified, 0);
  });
  assert.deepEqual([notified, (await listEvents(db, ADA, 0, 10)).length], [1, 1]);
});

// Invariant 4
test('outbox: a unit that is refused writes no event, and notifies nobody', async (t) => {
  const db = await makeDatabase(t);
  const bus = new Bus();
  let notified = 0;
  bus.listen(ADA, { notifyChange: () => notified++, noteParts: () => {} });
  const outbox = new Outbox(db, bus, () => 'id');
  const row = await insertRow(db);
  const rename = (id: string) => {
    const write = db.updateTable('uploads').set({ filename: 'b.bin' }).where('id', '=', id).compile();
    return { write, otherwise: selectUpload(db, id).compile() };
  };
  const describe = async () => [EVENT];
  assert.equal(await outbox.commit([rename(row.id), rename('nobody')], describe), false);
  assert.equal((await findUploadRow(db, row.id))?.filename, 'a.bin');
  assert.deepEqual([notified, await listEvents(db, ADA, 0, 10)], [0, []]);
  assert.equal(await outbox.commit([rename(row.id)], describe), true);
  assert.deepEqual([notified, (await listEvents(db, ADA, 0, 10)).length], [1, 1]);
});

testPostgres('outbox: where servers share the database, no unit is tried, and no event is made for it', async (t) => {
  const outbox = new Outbox(await makePostgres(t), new Bus(), () => 'id');
  const describe = async () => assert.fail('the record is read for nothing');
  assert.equal(await outbox.commit([], describe), false);
});
