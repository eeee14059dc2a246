import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Clock } from './clock.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A clock over two test clocks: `pass` moves both, `set` only the wall clock. */
function makeClock(ttlMs: number) {
  let [wallMs, steadyMs] = [1_000_000_000, 5];
  const jumps: number[] = [];
  const clock = new Clock(
    ttlMs,
    (byMs) => jumps.push(byMs),
    () => wallMs,
    () => steadyMs,
  );
  return {
    clock,
    jumps,
    pass: (ms: number) => {
      wallMs += ms;
      steadyMs += ms;
    },
    set: (ms: number) => {
      wallMs += ms;
    },
  };
}

test('clock: is reliable an hour after the start, or after the lifetime of an upload if that is shorter', () => {
  for (const [ttlMs, graceMs] of [
    [7 * DAY_MS, HOUR_MS],
    [10_000, 10_000],
  ] as const) {
    const { clock, pass } = makeClock(ttlMs);
    assert.equal(clock.isSettled(), false);
    pass(graceMs - 1);
    assert.equal(clock.isSettled(), false);
    pass(1);
    assert.equal(clock.isSettled(), true);
  }
});

test('clock: after a jump in any direction it is not reliable for the same time', () => {
  for (const [isReadByNow, byMs] of [
    [true, 30 * DAY_MS],
    [false, 30 * DAY_MS],
    [true, -DAY_MS],
    [false, -DAY_MS],
  ] as const) {
    const { clock, jumps, pass, set } = makeClock(7 * DAY_MS);
    pass(HOUR_MS);
    assert.equal(clock.jumps, 1);
    set(byMs);
    if (isReadByNow) assert.equal(clock.now(), 1_000_000_000 + HOUR_MS + byMs);
    assert.equal(clock.isSettled(), false);
    pass(HOUR_MS - 1);
    assert.equal(clock.isSettled(), false);
    pass(1);
    assert.equal(clock.isSettled(), true);
    assert.deepEqual(jumps, [byMs]);
    assert.equal(clock.jumps, 2);
  }
});

test('clock: time that passes and small corrections are no jump', () => {
  const { clock, jumps, pass, set } = makeClock(7 * DAY_MS);
  pass(HOUR_MS);
  for (const correctionMs of [5_000, -5_000, 59_000, -59_000]) {
    pass(60_000);
    set(correctionMs);
    assert.equal(clock.isSettled(), true);
  }
  pass(30 * DAY_MS);
  assert.equal(clock.isSettled(), true);
  assert.deepEqual(jumps, []);
});

test('clock: with a short lifetime a short jump counts', () => {
  const { clock, pass, set } = makeClock(10_000);
  pass(10_000);
  set(5_000);
  assert.equal(clock.isSettled(), false);
});
