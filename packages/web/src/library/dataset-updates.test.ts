import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QueryClient, QueryObserver } from '@tanstack/react-query';
import { DATASET_KEY, DatasetUpdates } from './dataset-updates.ts';

function observe(queries: QueryClient, id: string, read: () => Promise<number>): () => void {
  return new QueryObserver(queries, { queryKey: [DATASET_KEY, id], queryFn: read, retry: false }).subscribe(() => {});
}

/** Lets promises resolve between two moments of the mocked clock. */
async function tick(clock: { tick(ms: number): void }, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10) {
    clock.tick(10);
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  }
}

test('dataset updates: of many arrivals within a second, a record is read twice', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  const queries = new QueryClient();
  let reads = 0;
  const stop = observe(queries, 'd', async () => ++reads);
  const updates = new DatasetUpdates(queries);
  await tick(t.mock.timers, 50);
  assert.equal(reads, 1);
  for (let arrivals = 0; arrivals < 90; arrivals++) {
    updates.changed('d');
    updates.changed('other');
    await tick(t.mock.timers, 10);
  }
  assert.equal(reads, 2);
  await tick(t.mock.timers, 1_100);
  assert.equal(reads, 3);
  updates.stop();
  stop();
  queries.clear();
});

test('dataset updates: what changes while an answer is under way is read after it', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  const queries = new QueryClient();
  const answers: (() => void)[] = [];
  const stop = observe(queries, 'd', () => new Promise((resolve) => answers.push(() => resolve(answers.length))));
  const updates = new DatasetUpdates(queries);
  await tick(t.mock.timers, 50);
  updates.changed('d');
  await tick(t.mock.timers, 3_000);
  assert.equal(answers.length, 1, 'the answer is neither cancelled nor asked for twice');
  answers[0]?.();
  await tick(t.mock.timers, 1_100);
  assert.equal(answers.length, 2);
  updates.stop();
  stop();
  queries.clear();
});
