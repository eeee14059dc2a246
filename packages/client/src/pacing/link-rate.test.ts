import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LinkRate } from './link-rate.ts';

test('link rate: it is known after a second, and follows the link', () => {
  let nowMs = 0;
  const rate = new LinkRate(() => nowMs);
  const send = (seconds: number, bytesPerSecond: number) => {
    for (let step = 0; step < seconds * 10; step++) {
      nowMs += 100;
      rate.note(bytesPerSecond / 10);
    }
  };
  send(0.9, 5000);
  assert.equal(rate.bytesPerSecond, null);
  send(2, 5000);
  assert.equal(rate.bytesPerSecond, 5000);
  send(3, 90_000);
  assert.equal(rate.bytesPerSecond, 90_000);
});

test('link rate: time in which nothing is to be sent does not count', () => {
  let nowMs = 0;
  const rate = new LinkRate(() => nowMs);
  for (let step = 0; step <= 20; step++) {
    rate.note(100);
    nowMs += 100;
  }
  nowMs += 60_000;
  for (let step = 0; step <= 20; step++) {
    rate.note(100);
    nowMs += 100;
  }
  assert.equal(rate.bytesPerSecond, 1000);
});
