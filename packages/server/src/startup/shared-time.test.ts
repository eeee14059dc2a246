import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Clock } from '../uploads/clock.ts';
import { SharedTime } from './shared-time.ts';

const HOUR_MS = 3_600_000;

/** The clock of a database, and the monotonic clock of a server. */
function makeTimes() {
  return { theirMs: 1_000_000_000_000, steadyMs: 5_000, tookMs: 0, isAway: false, asked: 0 };
}

async function open(t: { after(end: () => void): void }, times: ReturnType<typeof makeTimes>) {
  const warnings: string[] = [];
  const ask = async () => {
    times.asked++;
    if (times.isAway) throw new Error('the database is away');
    times.steadyMs += times.tookMs / 2;
    const { theirMs } = times;
    times.steadyMs += times.tookMs / 2;
    return theirMs;
  };
  const log = { warn: (_fields: object, message: string) => void warnings.push(message) };
  const time = await SharedTime.open(ask, log, { steady: () => times.steadyMs, askMs: 5 });
  t.after(() => time.stop());
  const settle = async () => {
    for (const asked = times.asked; times.asked < asked + 2; ) await sleep(5);
  };
  return { time, warnings, settle };
}

test('shared time: is that of the database, and goes on with the monotonic clock', async (t) => {
  const times = makeTimes();
  times.tookMs = 100;
  const { time, warnings } = await open(t, times);
  assert.equal(time.now(), times.theirMs + 50);
  times.steadyMs += 1234;
  assert.equal(time.now(), times.theirMs + 1284);
  assert.match(warnings[0] ?? '', /the clock of this system is not that of the database/);
});

test('shared time: follows the database, but not by what the round trips differ', async (t) => {
  const times = makeTimes();
  const { time, settle } = await open(t, times);
  times.theirMs += 200;
  await settle();
  assert.equal(time.now(), times.theirMs - 200);
  times.theirMs += 400;
  await settle();
  assert.equal(time.now(), times.theirMs);
});

test('shared time: an answer that took long changes nothing', async (t) => {
  const times = makeTimes();
  const { time, settle } = await open(t, times);
  const offsetMs = time.now() - times.steadyMs;
  times.tookMs = 5_000;
  times.theirMs += 60_000;
  await settle();
  assert.equal(time.now() - times.steadyMs, offsetMs);
});

test('shared time: goes on while the database is away', async (t) => {
  const times = makeTimes();
  const { time, settle, warnings } = await open(t, times);
  times.isAway = true;
  times.steadyMs += 10_000;
  await settle();
  assert.equal(time.now(), times.theirMs + 10_000);
  assert.ok(warnings.some((each) => each.includes('was not asked for its time')));
});

test('shared time: a database with another clock, after it failed over, expires nothing', async (t) => {
  const times = makeTimes();
  const { time, settle } = await open(t, times);
  const jumps: number[] = [];
  const clock = new Clock(
    HOUR_MS,
    (byMs) => jumps.push(byMs),
    time.now,
    () => times.steadyMs,
  );
  times.steadyMs += 2 * HOUR_MS;
  times.theirMs += 2 * HOUR_MS;
  assert.equal(clock.isSettled(), true);
  times.theirMs += 5 * 60_000;
  await settle();
  assert.equal(clock.isSettled(), false);
  assert.deepEqual(jumps, [300_000]);
});
