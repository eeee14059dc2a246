import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../process/exit.ts';
import { Bandwidth, type Clock, parseTimetable, sharers } from './bandwidth.ts';

const MIB = 1024 ** 2;
const PIECE_BYTES = 64 * 1024;

/** A clock that advances only during sleeps; timers fire late, as real ones do. */
class TestClock implements Clock {
  readonly #beginMs: number;
  readonly #sleepers: { untilMs: number; wake: () => void }[] = [];
  #nowMs = 0;

  constructor(hours: number, minutes = 0) {
    this.#beginMs = new Date(2026, 5, 1, hours, minutes).getTime();
  }

  elapsedMs(): number {
    return this.#nowMs;
  }

  date(): Date {
    return new Date(this.#beginMs + this.#nowMs);
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => reject(signal.reason));
    this.#sleepers.push({ untilMs: Math.ceil(this.#nowMs + ms) + 1, wake: resolve });
    setImmediate(() => this.#next());
    await promise;
  }

  #next(): void {
    this.#sleepers.sort((a, b) => a.untilMs - b.untilMs);
    const next = this.#sleepers.shift();
    if (!next) return;
    this.#nowMs = Math.max(this.#nowMs, next.untilMs);
    next.wake();
  }
}

/** Sends without pause over this number of connections. @returns the bytes of each 100 ms. */
async function send(limit: string, clock: TestClock, untilMs: number, connections: number): Promise<number[]> {
  const { pace } = new Bandwidth(parseTimetable(limit), clock);
  const { signal } = new AbortController();
  const sent: number[] = [];
  const one = async () => {
    for (;;) {
      await pace(PIECE_BYTES, signal);
      if (clock.elapsedMs() >= untilMs) return;
      const at = Math.floor(clock.elapsedMs() / 100);
      sent[at] = (sent[at] ?? 0) + PIECE_BYTES;
    }
  };
  await Promise.all(Array.from({ length: connections }, one));
  return Array.from(sent, (bytes = 0) => bytes);
}

const sum = (bytes: readonly number[]) => bytes.reduce((all, each) => all + each, 0);

for (const connections of [1, 16]) {
  test(`bandwidth: a minute at 4 MiB/s over ${connections} connections is exact, without bursts`, async () => {
    const sent = await send('4MiB', new TestClock(12), 60_000, connections);
    assert.ok(Math.abs(sum(sent) - 240 * MIB) <= 0.5 * MIB, `${sum(sent) / MIB} MiB`);
    assert.ok(Math.max(...sent) <= 2 * 0.1 * 4 * MIB + PIECE_BYTES);
    assert.ok(Math.min(...sent.slice(1)) >= 4 * PIECE_BYTES);
  });
}

test('bandwidth: unused bytes are not sent later', async () => {
  const clock = new TestClock(12);
  const { pace } = new Bandwidth(parseTimetable('1MiB'), clock);
  const { signal } = new AbortController();
  await clock.sleep(60_000, signal);
  const beginMs = clock.elapsedMs();
  for (let piece = 0; piece < 160; piece++) await pace(PIECE_BYTES, signal);
  assert.ok(clock.elapsedMs() - beginMs > 9_700, `10 MiB took ${clock.elapsedMs() - beginMs} ms`);
});

test('bandwidth: a new entry of the timetable applies at once, also to waiting calls', async () => {
  const sent = await send('08:00,64KiB 08:01,2MiB', new TestClock(8), 120_000, 16);
  assert.ok(Math.abs(sum(sent.slice(0, 600)) - 60 * 64 * 1024) <= MIB / 4, `${sum(sent.slice(0, 600))} bytes`);
  assert.ok(Math.abs(sum(sent.slice(610)) - 59 * 2 * MIB) <= MIB, `${sum(sent.slice(610)) / MIB} MiB`);
});

test('bandwidth: off releases waiting calls', async () => {
  const clock = new TestClock(18, 59);
  const { pace } = new Bandwidth(parseTimetable('08:00,8KiB 19:00,off'), clock);
  await Promise.all(Array.from({ length: 100 }, () => pace(PIECE_BYTES, new AbortController().signal)));
  assert.ok(clock.elapsedMs() <= 61_100, `${clock.elapsedMs()} ms`);
});

test('bandwidth: the last entry applies past midnight', async () => {
  const clock = new TestClock(3);
  const { pace } = new Bandwidth(parseTimetable('19:00,off 08:00,8KiB'), clock);
  for (let piece = 0; piece < 1000; piece++) await pace(PIECE_BYTES, new AbortController().signal);
  assert.equal(clock.elapsedMs(), 0);
});

test('bandwidth: an abort ends the wait, also with the real clock', async () => {
  const { pace } = new Bandwidth(parseTimetable('8KiB'));
  const controller = new AbortController();
  await pace(PIECE_BYTES, controller.signal);
  const waiting = pace(PIECE_BYTES, controller.signal);
  controller.abort(new Error('enough'));
  await assert.rejects(waiting, /enough/);
  await assert.rejects(pace(1, controller.signal), /enough/);
});

test('bandwidth: invalid limits are refused', () => {
  const texts = [
    '',
    ' ',
    '20',
    '1KiB',
    '25:00,off',
    '8:60,off',
    '08:00',
    '08:00,',
    '08:00,fast',
    'off,08:00',
    '8:00,off 08:00,1MiB',
    '20MiB off',
  ];
  for (const text of texts) assert.throws(() => parseTimetable(text), UsageError, text);
});

test('bandwidth: a low limit reduces the number of parts, so that none stalls', () => {
  assert.equal(sharers(parseTimetable('20MiB'), 16), 16);
  assert.equal(sharers(parseTimetable('08:00,32KiB 19:00,off'), 16), 4);
  assert.equal(sharers(parseTimetable('off'), 16), 16);
});
