import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pace } from './pace.ts';

test('a stream looks four times a second at most, all of them for a twentieth of the time', () => {
  const pace = new Pace();
  const nowMs = performance.now();
  assert.equal(pace.nextMs(nowMs), nowMs + 250);
  assert.ok(pace.nextMs(Number.NEGATIVE_INFINITY) <= nowMs, 'a first look is free');
  pace.note(20);
  pace.note(10);
  const freeMs = pace.nextMs(Number.NEGATIVE_INFINITY) - nowMs;
  assert.ok(freeMs >= 30 * 19, `free after ${freeMs} ms`);
});
