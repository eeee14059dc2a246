import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ticksBetween } from './ticks.ts';

test('ticks: are round numbers within the range', () => {
  assert.deepEqual(ticksBetween(0, 50, 5), [0, 10, 20, 30, 40, 50]);
  assert.deepEqual(ticksBetween(-0.37, 0.92, 4), [0, 0.5]);
  assert.deepEqual(ticksBetween(-3.1, 12.4, 5), [0, 5, 10]);
  assert.deepEqual(ticksBetween(98.7, 99.2, 4), [98.8, 99, 99.2]);
  assert.deepEqual(ticksBetween(0.1, 0.3, 4), [0.1, 0.15, 0.2, 0.25, 0.3]);
});

test('ticks: there are none of an empty range', () => {
  for (const [first, last] of [
    [1, 1],
    [2, 1],
    [0, Number.POSITIVE_INFINITY],
    [Number.NaN, 1],
  ] as const) {
    assert.deepEqual(ticksBetween(first, last, 4), []);
  }
});
