import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { DatasetRecord } from '@cryolift/protocol/messages';
import { insertReceipt } from '../db/datasets/receipts.ts';
import { findDataset, insertDataset } from '../db/datasets/rows.ts';
import { makeUploads } from '../uploads/test-uploads.ts';
import { updateDataset } from './datasets.ts';
import { draftDataset } from './draft.ts';
import { expireDatasets, expiryOf, warnOfExpiry } from './retention.ts';
import { completeDataset, reopenDataset } from './transitions.ts';

const DAY = 86_400;
const DAY_MS = DAY * 1000;
const anybody = () => true;

/** A complete dataset that is kept for 30 days. @returns also the times in the warnings so far, as days. */
async function makeDataset(t: TestContext, warn_seconds?: number) {
  const context = await makeUploads(t);
  const { clock, db } = context;
  const startMs = clock.nowMs;
  const draft = draftDataset('d1', 'ada', { name: 'grid', retention_seconds: 30 * DAY }, startMs);
  await insertDataset(db, { ...draft, warn_ms: warn_seconds === undefined ? null : warn_seconds * 1000 });
  const complete = async () => {
    await completeDataset(context, 'd1', anybody, { force: true, by: 'ada' });
    const completed_at = (await findDataset(db, 'd1'))?.completed_at ?? null;
    const receipt = { dataset_id: 'd1', kind: 'issued', created_at: clock.nowMs, document: '{}' } as const;
    await insertReceipt(db, { ...receipt, id: `r${completed_at}`, completed_at });
  };
  await complete();
  const setDay = (day: number) => {
    clock.nowMs = startMs + day * DAY_MS;
  };
  const warned = async () => {
    const rows = await db.selectFrom('events').selectAll().orderBy('seq').execute();
    return rows
      .filter(({ type }) => type === 'cryolift.dataset.expiring')
      .map(({ data }) => (Date.parse((JSON.parse(data) as DatasetRecord).expires_at ?? '') - startMs) / DAY_MS);
  };
  const change = (days: number | null) =>
    updateDataset(context, 'd1', anybody, { retention_seconds: days === null ? null : days * DAY });
  return { context, setDay, warned, change, complete };
}

test('retention: the warning is due a week before, and not before half of the retention', () => {
  const dates = (retention_ms: number | null, warn_ms: number | null = null) =>
    expiryOf({ completed_at: 1000, retention_ms, warn_ms });
  assert.deepEqual(dates(30 * DAY_MS), { expires_at: 1000 + 30 * DAY_MS, warn_at: 1000 + 23 * DAY_MS });
  assert.deepEqual(dates(8 * DAY_MS), { expires_at: 1000 + 8 * DAY_MS, warn_at: 1000 + 4 * DAY_MS });
  assert.deepEqual(dates(30 * DAY_MS, DAY_MS).warn_at, 1000 + 29 * DAY_MS);
  assert.deepEqual(dates(null), { expires_at: null, warn_at: null });
});

test('retention: one of many servers warns once that a dataset expires', async (t) => {
  const { context, setDay, warned } = await makeDataset(t);
  setDay(22.99);
  assert.equal(await warnOfExpiry(context), 0);
  setDay(23);
  const counts = await Promise.all([1, 2, 3].map(() => warnOfExpiry(context)));
  assert.equal(
    counts.reduce((sum, each) => sum + each, 0),
    1,
  );
  setDay(29.9);
  assert.equal(await warnOfExpiry(context), 0);
  assert.deepEqual(await warned(), [30]);
});

test('retention: nothing expires without a warning, also after a server was off for long', async (t) => {
  const { context, setDay, warned } = await makeDataset(t);
  setDay(40);
  assert.equal(await expireDatasets(context), 0);
  assert.equal(await warnOfExpiry(context), 1);
  assert.equal(await expireDatasets(context), 1);
  assert.deepEqual(await warned(), [30]);
});

test('retention: a change of the retention makes a warning with the new time, whatever was before', async (t) => {
  const { context, setDay, warned, change } = await makeDataset(t, 2 * DAY);
  setDay(28);
  await warnOfExpiry(context);
  await change(60);
  assert.equal(await warnOfExpiry(context), 0);
  setDay(57.9);
  assert.equal(await warnOfExpiry(context), 0);
  // Shorter than the time that is left: at once.
  await change(59);
  assert.equal(await warnOfExpiry(context), 1);
  // Another change leaves the time as it is.
  await updateDataset(context, 'd1', anybody, { project: 'bi-31', warn_seconds: 3 * DAY });
  assert.equal(await warnOfExpiry(context), 0);
  await change(null);
  setDay(500);
  assert.deepEqual([await warnOfExpiry(context), await expireDatasets(context)], [0, 0]);
  assert.deepEqual(await warned(), [30, 59]);
});

test('retention: a dataset that takes files again has its warning after its next completion', async (t) => {
  const { context, setDay, warned, complete } = await makeDataset(t);
  setDay(22);
  await reopenDataset(context, 'd1', anybody);
  setDay(31);
  assert.equal(await warnOfExpiry(context), 0);
  await complete();
  setDay(54);
  assert.equal(await warnOfExpiry(context), 1);
  assert.deepEqual(await warned(), [61]);
});
