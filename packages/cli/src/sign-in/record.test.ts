import assert from 'node:assert/strict';
import { test } from 'node:test';
import { knowToken } from './record.ts';

const NOW_MS = 1_000_000;
const WALL_MS = 1_800_000_000_000;

/** Times relative to now, for a token that was received `agoMs` ago. */
function timesOf(lifeSeconds: number | null, agoMs: number) {
  const tokens = { accessToken: 'a', refreshToken: 'r', scope: null, refreshLifeSeconds: null };
  const known = knowToken({ ...tokens, lifeSeconds, receivedMs: WALL_MS - agoMs }, NOW_MS, WALL_MS);
  return [known.renewAtMs - NOW_MS, known.endsAtMs - NOW_MS, known.newUntilMs - NOW_MS];
}

test('record: a token is renewed with a quarter of its life left, at most five minutes', () => {
  assert.deepEqual(timesOf(4, 0), [3_000, 4_000, 1_000]);
  assert.deepEqual(timesOf(300, 60_000), [165_000, 240_000, -55_000]);
  assert.deepEqual(timesOf(3_600, 0), [3_300_000, 3_600_000, 5_000]);
});

test('record: without a known life it is renewed only when it is refused', () => {
  assert.deepEqual(timesOf(null, 10_000), [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, -5_000]);
});

test('record: a token that seems to be from the future, because the clock was set back, is renewed', () => {
  const [renewAtMs = 0, endsAtMs = 0] = timesOf(3_600, -10_000);
  assert.ok(renewAtMs < 0 && endsAtMs < 0);
});
