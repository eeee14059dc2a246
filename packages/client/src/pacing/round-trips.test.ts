import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RoundTrips } from './round-trips.ts';

function begin(...recentMs: readonly number[]): RoundTrips {
  const roundTrips = new RoundTrips();
  roundTrips.noteCall(100);
  for (const ms of recentMs) roundTrips.note(ms);
  return roundTrips;
}

test('round trips: the last one is short, all three are delayed, or the last two are long', () => {
  for (const [recentMs, ...expected] of [
    [[100, 155], true, false, false],
    [[400, 155], true, false, false],
    [[155, 156, 156], false, false, false],
    [[155, 156, 156, 156], false, true, false],
    [[156, 156], false, false, false],
    [[100, 701, 700, 701], false, true, false],
    [[100, 700, 701, 701], false, true, true],
  ] as const) {
    const roundTrips = begin(...recentMs);
    const found = [roundTrips.areShort(0), roundTrips.areDelayed(0), roundTrips.areLong(0)];
    assert.deepEqual(found, expected, String(recentMs));
  }
});

test('round trips: without two calls nothing is known', () => {
  const roundTrips = begin(100);
  assert.deepEqual([roundTrips.areShort(0), roundTrips.areDelayed(0)], [false, false]);
  roundTrips.note(null);
  assert.equal(roundTrips.areShort(0), false);
});

test('round trips: a call is made every second, and one without an answer counts with its time so far', () => {
  const roundTrips = begin(100, 100);
  assert.equal(roundTrips.ask(5_000), true);
  assert.equal(roundTrips.ask(6_000), false);
  assert.deepEqual([roundTrips.areShort(5_155), roundTrips.areShort(5_156)], [true, false]);
  roundTrips.note(701);
  assert.equal(roundTrips.ask(6_000), true);
  assert.equal(roundTrips.areLong(6_701), false);
  assert.equal(roundTrips.areLong(6_702), true);
});
