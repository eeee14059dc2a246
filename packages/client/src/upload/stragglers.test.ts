import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stragglers } from './stragglers.ts';

const PART_BYTES = 1000;

/** Parts that took 10 s each were stored; then the attempts of `parts` began. */
function begin(parts: readonly number[]) {
  const clock = { ms: 0 };
  const stragglers = new Stragglers(() => clock.ms);
  const takenOver: number[] = [];
  const start = (idx: number) => stragglers.begin(idx, PART_BYTES, () => takenOver.push(idx));
  for (const idx of [100, 101, 102]) start(idx);
  clock.ms += 10_000;
  for (const idx of [100, 101, 102]) stragglers.end(idx, true);
  for (const idx of parts) start(idx);
  return { clock, stragglers, takenOver, start };
}

test('stragglers: a part that would take longer than two new attempts is taken over, once', () => {
  const { clock, stragglers, takenOver, start } = begin([0, 1, 2]);
  clock.ms += 11_000;
  stragglers.noteSent(0, 900);
  // 1.2 s are left, 16.5 s and 44 s.
  stragglers.noteSent(1, 400);
  stragglers.noteSent(2, 200);
  stragglers.takeOver(10);
  assert.deepEqual(takenOver, [2]);
  stragglers.end(2, false);
  start(2);
  clock.ms += 60_000;
  stragglers.takeOver(10);
  assert.deepEqual(takenOver, [2, 1]);
});

test('stragglers: a part is given the time of a new attempt, and idle connections take over one each', () => {
  const { clock, stragglers, takenOver } = begin([0, 1, 2]);
  clock.ms += 9_000;
  stragglers.takeOver(10);
  assert.deepEqual(takenOver, []);
  clock.ms += 2_000;
  stragglers.takeOver(2);
  assert.deepEqual(takenOver, [0, 1]);
  stragglers.takeOver(0);
  assert.deepEqual(takenOver, [0, 1]);
});

test('stragglers: a part whose bytes were all sent waits for its answer three times as long', () => {
  const { clock, stragglers, takenOver } = begin([0]);
  stragglers.noteSent(0, PART_BYTES);
  clock.ms += 30_000;
  stragglers.takeOver(1);
  assert.deepEqual(takenOver, []);
  clock.ms += 1;
  stragglers.takeOver(1);
  assert.deepEqual(takenOver, [0]);
});

test('stragglers: without a stored part, and within two seconds, nothing is late', () => {
  const clock = { ms: 0 };
  const stragglers = new Stragglers(() => clock.ms);
  const takenOver: number[] = [];
  const start = (idx: number) => stragglers.begin(idx, PART_BYTES, () => takenOver.push(idx));
  start(0);
  clock.ms += 60_000;
  stragglers.takeOver(1);
  start(1);
  stragglers.end(1, false);
  stragglers.takeOver(1);
  assert.deepEqual(takenOver, []);
  start(2);
  clock.ms += 10;
  stragglers.end(2, true);
  stragglers.end(0, false);
  start(3);
  clock.ms += 2_000;
  stragglers.takeOver(1);
  assert.deepEqual(takenOver, []);
  clock.ms += 1;
  stragglers.takeOver(1);
  assert.deepEqual(takenOver, [3]);
});
