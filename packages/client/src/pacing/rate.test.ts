import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rate } from './rate.ts';

test('rate: covers the last seconds and falls to zero without new bytes', () => {
  let nowMs = 0;
  const rate = new Rate(() => nowMs);
  assert.equal(rate.bytesPerSecond, 0);
  for (; nowMs <= 20_000; nowMs += 50) rate.note(nowMs * 10);
  assert.ok(Math.abs(rate.bytesPerSecond - 10_000) < 300, String(rate.bytesPerSecond));
  for (; nowMs <= 40_000; nowMs += 50) rate.note(200_000 + (nowMs - 20_000));
  assert.ok(Math.abs(rate.bytesPerSecond - 1_000) < 30, String(rate.bytesPerSecond));
  nowMs += 60_000;
  assert.ok(rate.bytesPerSecond < 20);
});
