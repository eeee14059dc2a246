import assert from 'node:assert/strict';
import { test } from 'node:test';
import { insertDataset } from '../db/datasets/rows.ts';
import { insertFile } from '../db/files.ts';
import { draftFile } from '../db/test-rows.ts';
import { makeUploads } from '../uploads/test-uploads.ts';
import { draftDataset } from './draft.ts';
import { tellSilences } from './silence.ts';

test('silence: two servers tell it once, and again after the next file', async (t) => {
  const context = await makeUploads(t);
  const { db, outbox, clock } = context;
  await insertDataset(db, draftDataset('d1', 'ada', { name: 'grid', silent_after_seconds: 60 }, clock.nowMs));
  const told = async () => {
    const events = await db.selectFrom('events').select(['type', 'data']).orderBy('seq').execute();
    return events.filter(({ type }) => type === 'cryolift.dataset.silent');
  };
  clock.nowMs += 59_000;
  assert.equal(await tellSilences(context), 0);
  clock.nowMs += 1_000;
  assert.deepEqual((await Promise.all([tellSilences(context), tellSilences(context)])).sort(), [0, 1]);
  assert.equal(await tellSilences(context), 0);
  const [event] = await told();
  const { name, silent_at } = JSON.parse(event?.data ?? '{}') as { name?: string; silent_at?: string };
  assert.deepEqual([name, silent_at], ['grid', new Date(clock.nowMs).toISOString()]);
  const file = { ...draftFile('f1', 500), dataset_id: 'd1', created_at: clock.nowMs };
  await outbox.transact((tx) => insertFile(tx, file));
  clock.nowMs += 60_000;
  assert.equal(await tellSilences(context), 1);
  assert.equal((await told()).length, 2);
});
