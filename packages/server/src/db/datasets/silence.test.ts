import assert from 'node:assert/strict';
import { draftDataset } from '../../datasets/draft.ts';
import type { Database } from '../database.ts';
import { insertFile } from '../files.ts';
import { testDatabases } from '../test-databases.ts';
import { draftFile, insertRow } from '../test-rows.ts';
import { insertDataset, moveDataset } from './rows.ts';
import { countSilent, listSilent, markSilent, sumArrivals } from './silence.ts';

const SILENT_MS = 60_000;

/** An open dataset, made at 1 s, that is silent after a minute. */
async function makeWatched(db: Database, id: string): Promise<void> {
  await insertDataset(db, draftDataset(id, 'ada', { name: id, silent_after_seconds: SILENT_MS / 1000 }, 1000));
}

const silentAt = async (db: Database, ms: number) => await listSilent(db, ms, 10);

testDatabases('silence: it counts from when the dataset was made, and from each file', async (db) => {
  await makeWatched(db, 'd1');
  await insertDataset(db, draftDataset('d2', 'ada', { name: 'not watched' }, 1000));
  assert.deepEqual(await silentAt(db, 1000 + SILENT_MS - 1), []);
  assert.deepEqual(await silentAt(db, 1000 + SILENT_MS), ['d1']);
  await insertFile(db, { ...draftFile('f1', 500), dataset_id: 'd1', created_at: 31_000 });
  assert.deepEqual(await silentAt(db, 31_000 + SILENT_MS - 1), []);
  assert.deepEqual(await silentAt(db, 31_000 + SILENT_MS), ['d1']);
});

testDatabases('silence: it is said once, until the next file arrives', async (db) => {
  await makeWatched(db, 'd1');
  assert.equal(await markSilent(db, 'd1', 1000 + SILENT_MS - 1), undefined);
  const nowMs = 1000 + SILENT_MS;
  const said = await Promise.all([markSilent(db, 'd1', nowMs), markSilent(db, 'd1', nowMs)]);
  assert.equal(said.filter((row) => row?.silent_at === nowMs).length, 1);
  assert.deepEqual(await silentAt(db, nowMs + 1), []);
  assert.equal(await countSilent(db), 1);
  await insertFile(db, { ...draftFile('f1', 500), dataset_id: 'd1', created_at: nowMs + 5 });
  assert.equal(await countSilent(db), 0);
  assert.deepEqual(await silentAt(db, nowMs + 5 + SILENT_MS), ['d1']);
});

testDatabases('silence: what is not open is not silent, and one that is opened again begins anew', async (db) => {
  await makeWatched(db, 'd1');
  await moveDataset(db, 'd1', 'complete', { completed_at: 5000 }, 5000);
  assert.deepEqual(await silentAt(db, 1_000_000), []);
  await moveDataset(db, 'd1', 'reopen', { completed_at: null, opened_at: 900_000 }, 900_000);
  assert.deepEqual(await silentAt(db, 900_000 + SILENT_MS - 1), []);
  assert.deepEqual(await silentAt(db, 900_000 + SILENT_MS), ['d1']);
});

testDatabases('silence: parts of an upload to the dataset end it', async (db) => {
  await makeWatched(db, 'd1');
  await insertRow(db, { dataset_id: 'd1', status: 'uploading', updated_at: 50_000 });
  assert.deepEqual(await silentAt(db, 1000 + SILENT_MS), []);
  assert.deepEqual(await silentAt(db, 50_000 + SILENT_MS), ['d1']);
});

testDatabases('arrivals: files are counted since a time, of a dataset and of all', async (db) => {
  await makeWatched(db, 'd1');
  await insertFile(db, { ...draftFile('f1', 500), dataset_id: 'd1', created_at: 1000 });
  await insertFile(db, { ...draftFile('f2', 600), dataset_id: 'd1', created_at: 2000 });
  await insertFile(db, { ...draftFile('f3', 700), created_at: 3000 });
  assert.deepEqual(await sumArrivals(db, 2000, 'd1'), { files: 1, bytes: 600 });
  assert.deepEqual(await sumArrivals(db, 2000, null), { files: 2, bytes: 1300 });
  assert.deepEqual(await sumArrivals(db, 9000, 'd1'), { files: 0, bytes: 0 });
});
