import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WindowLimit } from './window-limit.ts';

const MIB = 1024 * 1024;
const TICK_MS = 50;

interface Path {
  /** Maximum bytes per second of one connection. */
  readonly each: number;
  /** Maximum bytes per second of all connections. */
  readonly all: number;
  /** Measured rates differ from the true one by up to this share. */
  readonly noise?: number;
  /** The duration of a short call of 100 ms with parts in flight. */
  readonly roundTripMs?: (inFlight: number) => number;
}

/** Uploads parts over a modelled path: as many as allowed, equal shares. @returns the limit at every second. */
function fly(limit: WindowLimit, clock: { ms: number }, path: Path, seconds: number, partBytes = 8 * MIB): number[] {
  const parts: number[] = [];
  const limits: number[] = [];
  limit.noteCall(100);
  for (let tick = 0; tick < (seconds * 1000) / TICK_MS; tick++) {
    clock.ms += TICK_MS;
    while (parts.length < limit.limit) parts.push(partBytes);
    const wobble = 1 + (path.noise ?? 0) * Math.sin(tick * 12.9898) * Math.cos(tick * 78.233);
    const inFlight = parts.length;
    const share = (Math.min(path.each, path.all / parts.length) * wobble * TICK_MS) / 1000;
    for (let idx = parts.length - 1; idx >= 0; idx--) {
      if (limit.noteSent(share, inFlight)) limit.noteRoundTrip(path.roundTripMs?.(inFlight) ?? 100);
      parts[idx] = (parts[idx] as number) - share;
      if ((parts[idx] as number) > 0) continue;
      parts.splice(idx, 1);
      limit.notePart();
    }
    if (tick % (1000 / TICK_MS) === 0) limits.push(limit.limit);
  }
  return limits;
}

function begin(most = 16) {
  const clock = { ms: 0 };
  return { clock, limit: new WindowLimit(most, () => clock.ms) };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

test('window: a path with a limit per connection gets all connections within half a minute, and keeps them', () => {
  const { clock, limit } = begin();
  const limits = fly(limit, clock, { each: 140_000, all: 25e6 }, 600);
  assert.equal(limits[0], 4);
  assert.ok(limits.indexOf(16) <= 15, `${limits.indexOf(16)} s`);
  assert.ok(mean(limits.slice(30)) > 13.5, String(mean(limits.slice(30))));
});

test('window: a path with loss gets 64 connections within a quarter of a minute, and keeps them', () => {
  const { clock, limit } = begin(64);
  const limits = fly(limit, clock, { each: 175_000, all: 25e6, noise: 0.1 }, 600, MIB);
  assert.ok(limits.indexOf(64) <= 15, `${limits.indexOf(64)} s`);
  assert.ok(mean(limits.slice(15)) > 60, String(mean(limits.slice(15))));
});

test('window: more than 16 connections are tried only while short calls are not delayed', () => {
  const { clock, limit } = begin(64);
  // 20 connections fill the path, whose buffer is short; more of them take from others, and their goodput grows.
  const shared = { each: 175_000, all: 25e6, roundTripMs: (inFlight: number) => (inFlight > 20 ? 160 : 100) };
  const limits = fly(limit, clock, shared, 600, MIB);
  assert.ok(limits.includes(32));
  assert.ok(mean(limits.slice(60)) < 19, String(mean(limits.slice(60))));
  const delayed = { ...shared, roundTripMs: () => 160 };
  const others = begin(64);
  assert.equal(Math.max(...fly(others.limit, others.clock, delayed, 600, MIB)), 16);
});

test('window: one delayed call does not stop the climb', () => {
  const { clock, limit } = begin(64);
  let count = 0;
  const path = { each: 175_000, all: 25e6, roundTripMs: () => (count++ % 2 === 0 ? 400 : 100) };
  const limits = fly(limit, clock, path, 60, MIB);
  assert.ok(limits.indexOf(64) <= 15, `${limits.indexOf(64)} s`);
});

test('window: after an error with more than 16, only half as many are tried for ten minutes', () => {
  const { clock, limit } = begin(64);
  const path = { each: 175_000, all: 25e6 };
  fly(limit, clock, path, 30, MIB);
  assert.equal(limit.limit, 64);
  limit.noteFailure();
  const limits = fly(limit, clock, path, 1200, MIB);
  assert.equal(Math.max(...limits.slice(10, 600)), 32);
  assert.equal(Math.max(...limits.slice(600)), 64);
});

test('window: its maximum may change', () => {
  let most = 4;
  const clock = { ms: 0 };
  const limit = new WindowLimit(
    () => most,
    () => clock.ms,
  );
  const path = { each: 175_000, all: 25e6 };
  assert.equal(Math.max(...fly(limit, clock, path, 60, MIB)), 4);
  most = 9;
  assert.equal(Math.max(...fly(limit, clock, path, 120, MIB)), 9);
  most = 4;
  assert.equal(limit.limit, 4);
  assert.ok(fly(limit, clock, path, 60, MIB).every((each) => each <= 4));
});

test('window: a path that is only slow gets few connections', () => {
  const { clock, limit } = begin();
  const limits = fly(limit, clock, { each: 2.5e6, all: 2.5e6 }, 600);
  assert.ok(mean(limits.slice(120)) < 3.3, String(mean(limits.slice(120))));
});

test('window: a queue on the path reduces the number of parts, also with large buffers', () => {
  const { clock, limit } = begin();
  // Buffers whose goodput seems to grow with every connection; the calls are delayed by their queue.
  const bloated = { each: 2.5e6, all: 40e6, roundTripMs: (inFlight: number) => inFlight * 700 };
  const limits = fly(limit, clock, bloated, 300);
  assert.ok(limits.indexOf(3) > 0 && limits.indexOf(3) < 30, `${limits.indexOf(3)} s`);
  assert.ok(mean(limits.slice(60)) < 3.3, String(mean(limits.slice(60))));
});

test('window: a call without an answer counts as queued; a failed call is ignored', () => {
  for (const [fails, expected] of [
    [false, 3],
    [true, 8],
  ] as const) {
    const { clock, limit } = begin();
    limit.noteCall(100);
    // The previous call was queued, too.
    limit.noteRoundTrip(5_000);
    for (let ms = 0; ms < 7_000; ms += TICK_MS) {
      clock.ms += TICK_MS;
      if (limit.noteSent(MIB, 4) && fails) limit.noteRoundTrip(null);
    }
    assert.equal(limit.limit, expected);
  }
});

test('window: a fast path gets as many connections as it needs', () => {
  const { clock, limit } = begin();
  const limits = fly(limit, clock, { each: 60e6, all: 240e6 }, 120);
  assert.ok(mean(limits.slice(30)) > 3 && mean(limits.slice(30)) < 5, String(mean(limits.slice(30))));
});

test('window: the number adapts after the path has changed', () => {
  const { clock, limit } = begin();
  fly(limit, clock, { each: 10e6, all: 10e6 }, 120);
  const limits = fly(limit, clock, { each: 500_000, all: 10e6 }, 300);
  assert.ok(mean(limits.slice(-60)) >= 8, String(mean(limits.slice(-60))));
});

test('window: simultaneous errors halve it once, and it grows again', () => {
  const { clock, limit } = begin();
  fly(limit, clock, { each: 140_000, all: 25e6 }, 10);
  assert.equal(limit.limit, 16);
  for (let part = 0; part < 16; part++) limit.noteFailure();
  assert.equal(limit.limit, 8);
  clock.ms += 60_000;
  limit.noteFailure();
  assert.equal(limit.limit, 4);
  const limits = fly(limit, clock, { each: 140_000, all: 25e6 }, 300, MIB);
  assert.ok(mean(limits.slice(-240)) > 14, String(mean(limits.slice(-240))));
});

test('window: an idle path changes nothing', () => {
  const { clock, limit } = begin();
  for (let second = 0; second < 100; second++) {
    clock.ms += 1000;
    limit.noteSent(MIB, 1);
  }
  assert.equal(limit.limit, 4);
});

test('window: property: it stays within its bounds on any path, and wastes little of it', () => {
  const rate = fc.integer({ min: 50_000, max: 500_000_000 });
  const model = fc.record({ each: rate, all: rate, noise: fc.double({ min: 0, max: 0.1, noNaN: true }) });
  fc.assert(
    fc.property(model, fc.integer({ min: 1, max: 64 }), (path, most) => {
      const { clock, limit } = begin(most);
      const limits = fly(limit, clock, path, 300, MIB);
      assert.ok(limits.every((each) => each >= 1 && each <= most));
      const reached = mean(limits.slice(60).map((each) => Math.min(path.all, each * path.each)));
      assert.ok(reached >= 0.6 * Math.min(path.all, most * path.each), `${reached}`);
    }),
    { numRuns: 100 },
  );
});
