import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachOf } from './concurrent.ts';

const later = () => new Promise<void>((resolve) => setImmediate(resolve));

test('relocation: work is done for each item once, so many at a time', async () => {
  const done: number[] = [];
  let [now, most] = [0, 0];
  const items = (async function* () {
    for (let nr = 0; nr < 20; nr++) yield nr;
  })();
  await forEachOf(items, 3, async (nr) => {
    most = Math.max(most, ++now);
    await later();
    now--;
    done.push(nr);
  });
  assert.deepEqual([done.toSorted((a, b) => a - b), most], [Array.from({ length: 20 }, (_, nr) => nr), 3]);
});

test('relocation: after a failure nothing is begun, and what was begun has ended', async () => {
  const ended: number[] = [];
  await assert.rejects(
    forEachOf([0, 1, 2, 3, 4, 5, 6, 7], 2, async (nr) => {
      if (nr === 1) throw new Error('the second');
      for (let turns = 0; turns < 5; turns++) await later();
      ended.push(nr);
    }),
    /the second/,
  );
  assert.deepEqual(ended, [0]);
});
