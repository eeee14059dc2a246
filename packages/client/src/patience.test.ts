import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { ConnectionError, ForeignReplyError, ServerError } from './failures.ts';
import { Patience, sleep } from './patience.ts';

const GONE = new ConnectionError('gone');

/** What `setTimeout` and the clock were asked for; time passes at once. */
let waitsMs: number[];
let nowMs: number;

beforeEach(() => {
  mock.restoreAll();
  waitsMs = [];
  nowMs = 1_000_000;
  mock.method(performance, 'now', () => nowMs);
  mock.method(globalThis, 'setTimeout', (done: () => void, ms: number) => {
    waitsMs.push(ms);
    nowMs += ms;
    queueMicrotask(done);
  });
});

function serverError(code: 'token_expired' | 'rate_limited' | 'invalid_mrc', retryAfterSeconds: number | null = null) {
  const status = { token_expired: 401, rate_limited: 429, invalid_mrc: 422 }[code];
  const envelope = { code, message: '', hint: '', retryable: code !== 'invalid_mrc', request_id: '' };
  return new ServerError(status, envelope, retryAfterSeconds);
}

test('waits double up to half a minute, at a random point of each, and begin anew after progress', async () => {
  mock.method(Math, 'random', () => 0.5);
  const patience = new Patience(Number.POSITIVE_INFINITY);
  for (let failure = 0; failure < 8; failure++) await patience.wait(GONE, undefined);
  assert.deepEqual(waitsMs, [250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
  patience.noteProgress();
  await patience.wait(GONE, undefined);
  assert.equal(waitsMs.at(-1), 250);
  assert.equal(patience.retries, 9);
});

test('waits at least as long as Retry-After says', async () => {
  mock.method(Math, 'random', () => 0);
  await new Patience(60_000).wait(serverError('rate_limited', 7), undefined);
  assert.deepEqual(waitsMs, [7000]);
});

test('ends when nothing went forward for too long, counted from the first failure', async () => {
  mock.method(Math, 'random', () => 1);
  const patience = new Patience(60_000);
  // A machine that slept for an hour has not been failing for an hour.
  nowMs += 3_600_000;
  await patience.wait(GONE, undefined);
  nowMs += 30_000;
  await patience.wait(GONE, undefined);
  nowMs += 60_000;
  await assert.rejects(patience.wait(GONE, undefined), GONE);
  patience.noteProgress();
  await patience.wait(GONE, undefined);
});

test('does not wait for what no waiting mends', async () => {
  const final = [
    serverError('invalid_mrc'),
    serverError('token_expired'),
    new ForeignReplyError(''),
    new TypeError('bug'),
  ];
  for (const error of final) await assert.rejects(new Patience(60_000).wait(error, undefined), error);
  assert.deepEqual(waitsMs, []);
});

test('a sleep ends with the reason of the signal', async () => {
  mock.restoreAll();
  const controller = new AbortController();
  const sleeping = sleep(3_600_000, controller.signal);
  controller.abort(new Error('enough'));
  await assert.rejects(sleeping, /enough/);
});
