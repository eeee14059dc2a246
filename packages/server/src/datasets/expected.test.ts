import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { insertDataset } from '../db/datasets/rows.ts';
import { insertFile } from '../db/files.ts';
import { draftFile } from '../db/test-rows.ts';
import { makeUploads } from '../uploads/test-uploads.ts';
import { draftDataset } from './draft.ts';
import { announceFiles, withdrawFiles } from './expected.ts';
import { completeWhenWhole } from './transitions.ts';

const anybody = () => true;

async function makeDataset(t: TestContext) {
  const context = await makeUploads(t);
  const { db, outbox, clock } = context;
  const draft = draftDataset('d1', 'ada', { name: 'grid', complete_when_whole: true }, clock.nowMs);
  await insertDataset(db, draft);
  const file = { ...draftFile('f1', 500), dataset_id: 'd1', metadata: '{"path":"a"}', created_at: clock.nowMs };
  await outbox.transact((tx) => insertFile(tx, { ...file, sha256: new Uint8Array(32) }));
  return context;
}

test('expected: a dataset of which all was withdrawn is not completed by a job that was added before', async (t) => {
  const context = await makeDataset(t);
  await announceFiles(context, 'd1', anybody, [{ path: 'a' }]);
  assert.deepEqual(await withdrawFiles(context, 'd1', anybody, { all: true }), { withdrawn: 1, announced: 0 });
  assert.equal(await completeWhenWhole(context, 'd1'), 'incomplete');
  await announceFiles(context, 'd1', anybody, [{ path: 'a' }]);
  assert.equal(await completeWhenWhole(context, 'd1'), 'completed');
});

test('expected: the withdrawal of what is missing adds the job that completes the dataset', async (t) => {
  const context = await makeDataset(t);
  await announceFiles(context, 'd1', anybody, [{ path: 'a' }, { path: 'b' }]);
  const jobs = () => context.db.selectFrom('jobs').select('kind').execute();
  assert.deepEqual(await jobs(), []);
  await withdrawFiles(context, 'd1', anybody, { paths: ['b'] });
  assert.deepEqual(
    (await jobs()).map(({ kind }) => kind),
    ['check_dataset'],
  );
});
