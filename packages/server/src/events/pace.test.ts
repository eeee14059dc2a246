import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pace } from './pace.ts';

test('pace: a stream reads at most four times a second, all streams use at most a twentieth of the time', () => {
  const pace = new Pace();
  const nowMs = performance.now();
  assert.equal(pace.nextMs(nowMs), nowMs + 250);
  assert.ok(pace.nextMs(Number.NEGATIVE_INFINITY) <= nowMs, 'the first read needs no delay');
  pace.note(20);
  pace.note(10);
  const freeMs = pace.nextMs(Number.NEGATIVE_INFINITY) - nowMs;
  assert.ok(freeMs >= 30 * 19, `free after ${freeMs} ms`);
});
