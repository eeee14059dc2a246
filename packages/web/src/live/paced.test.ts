import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paced } from './paced.ts';

test('paced: the first call is made at once, and calls during the interval are one', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let nowMs = 0;
  t.mock.method(performance, 'now', () => nowMs);
  let calls = 0;
  const read = paced(async () => ++calls, 1000);
  assert.equal(await read(), 1);
  const [second, third] = [read(), read()];
  assert.equal(calls, 1);
  nowMs = 1000;
  t.mock.timers.tick(1000);
  assert.deepEqual([await second, await third], [2, 2]);
  nowMs = 5000;
  assert.equal(await read(), 3);
});

test('paced: a failed call fails for those who asked, and the next is made', async () => {
  let calls = 0;
  const read = paced(async () => {
    if (++calls === 1) throw new Error('no network');
    return calls;
  }, 0);
  await assert.rejects(read(), /no network/);
  assert.equal(await read(), 2);
});
