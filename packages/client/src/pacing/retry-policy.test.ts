import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { ConnectionError, ForeignReplyError, ServerError } from '../failures.ts';
import { RetryPolicy, sleep } from './retry-policy.ts';

const GONE = new ConnectionError('gone');

/** Records timers; time passes immediately. */
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

const STATUS = { token_expired: 401, rate_limited: 429, invalid_mrc: 422, internal: 500, overloaded: 503 };

function serverError(code: keyof typeof STATUS, retryAfterSeconds: number | null = null) {
  const status = STATUS[code];
  const envelope = { code, message: '', hint: '', retryable: code !== 'invalid_mrc', request_id: '' };
  return new ServerError(status, envelope, retryAfterSeconds);
}

test('retry policy: delays double up to half a minute, with jitter, and restart after progress', async () => {
  mock.method(Math, 'random', () => 0.5);
  const retryPolicy = new RetryPolicy(Number.POSITIVE_INFINITY);
  const waitOut = retryPolicy.begin();
  for (let failure = 0; failure < 8; failure++) await waitOut(GONE);
  assert.deepEqual(waitsMs, [250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
  retryPolicy.noteProgress();
  await waitOut(GONE);
  assert.equal(waitsMs.at(-1), 250);
  assert.equal(retryPolicy.retries, 9);
});

test('retry policy: simultaneous failures of parts do not increase the delay', async () => {
  mock.method(Math, 'random', () => 0.5);
  const retryPolicy = new RetryPolicy();
  for (let part = 0; part < 8; part++) await retryPolicy.begin()(GONE);
  assert.deepEqual(new Set(waitsMs), new Set([250]));
});

test('retry policy: waits at least for Retry-After', async () => {
  mock.method(Math, 'random', () => 0);
  await new RetryPolicy(60_000).begin()(serverError('rate_limited', 7));
  assert.deepEqual(waitsMs, [7000, 0]);
});

test('retry policy: a Retry-After beyond the policy ends it, and no delay is too long for a timer', async () => {
  mock.method(Math, 'random', () => 0);
  const month = serverError('overloaded', 30 * 86_400);
  await assert.rejects(new RetryPolicy().begin()(month), month);
  assert.deepEqual(waitsMs, []);
  await new RetryPolicy(Number.POSITIVE_INFINITY).begin()(month);
  assert.deepEqual(waitsMs, [2 ** 31 - 1, 30 * 86_400_000 - (2 ** 31 - 1), 0]);
});

test('retry policy: foreign answers are counted again after progress', async () => {
  const retryPolicy = new RetryPolicy();
  const waitOut = retryPolicy.begin();
  const foreign = new ForeignReplyError('');
  for (let round = 0; round < 4; round++) {
    await waitOut(foreign);
    await waitOut(foreign);
    retryPolicy.noteProgress();
  }
});

test('retry policy: ends after too long without progress, counted from the first failure', async () => {
  mock.method(Math, 'random', () => 1);
  const retryPolicy = new RetryPolicy(60_000);
  const waitOut = retryPolicy.begin();
  // The sleep of a machine does not count as time of failure.
  nowMs += 3_600_000;
  await waitOut(GONE);
  nowMs += 30_000;
  await waitOut(GONE);
  nowMs += 60_000;
  await assert.rejects(waitOut(GONE), GONE);
  retryPolicy.noteProgress();
  await waitOut(GONE);
});

const HOUR_MS = 3_600_000;
const OFFLINE = new ConnectionError('no network', { offline: true });
const NAMELESS = new ConnectionError('no such name', { nameUnknown: true });

/** @returns how many hours of failures, up to a week, `error` is retried. */
async function hoursOf(error: Error, retryPolicy = new RetryPolicy()): Promise<number> {
  const waitOut = retryPolicy.begin();
  const startedMs = nowMs;
  for (let hour = 0; hour <= 168; hour++) {
    nowMs = startedMs + hour * HOUR_MS;
    try {
      await waitOut(error);
    } catch {
      return hour;
    }
  }
  return Number.POSITIVE_INFINITY;
}

test('retry policy: the total time depends on the error', async () => {
  mock.method(Math, 'random', () => 0);
  const reached = () => {
    const retryPolicy = new RetryPolicy();
    retryPolicy.noteReply();
    return retryPolicy;
  };
  assert.equal(await hoursOf(GONE), 1);
  assert.equal(await hoursOf(GONE, reached()), 13);
  assert.equal(await hoursOf(serverError('internal'), reached()), 1);
  assert.equal(await hoursOf(serverError('overloaded')), 13);
  assert.equal(await hoursOf(OFFLINE), Number.POSITIVE_INFINITY);
  assert.equal(await hoursOf(NAMELESS), 1);
  assert.equal(await hoursOf(NAMELESS, reached()), Number.POSITIVE_INFINITY);
});

test('retry policy: progress of one call ends the waits of the others', async () => {
  mock.restoreAll();
  mock.method(Math, 'random', () => 1);
  const retryPolicy = new RetryPolicy();
  const waiting = Array.from({ length: 4 }, () => retryPolicy.begin()(GONE));
  retryPolicy.noteProgress();
  await Promise.all(waiting);
});

test('retry policy: the return of the network ends the wait', async () => {
  mock.restoreAll();
  mock.method(Math, 'random', () => 1);
  const waitOut = new RetryPolicy().begin(async () => {});
  await waitOut(OFFLINE);
});

test('retry policy: permanent errors are not retried', async () => {
  const final = [serverError('invalid_mrc'), serverError('token_expired'), new TypeError('bug')];
  for (const error of final) await assert.rejects(new RetryPolicy(60_000).begin()(error), error);
  assert.deepEqual(waitsMs, []);
});

test('retry policy: an invalid answer is retried once', async () => {
  const waitOut = new RetryPolicy().begin();
  const foreign = new ForeignReplyError('');
  for (let failure = 0; failure < 3; failure++) await waitOut(GONE);
  await waitOut(foreign);
  await waitOut(foreign);
  await assert.rejects(waitOut(foreign), foreign);
});

test('retry policy: without limit, foreign answers are retried too, with the same delays', async () => {
  const waitOut = new RetryPolicy(Number.POSITIVE_INFINITY).begin();
  const foreign = new ForeignReplyError('');
  for (let failure = 0; failure < 10; failure++) await waitOut(foreign);
  assert.equal(waitsMs.length, 10);
});

test('retry policy: a sleep ends with the reason of the signal', async () => {
  mock.restoreAll();
  const controller = new AbortController();
  const sleeping = sleep(3_600_000, controller.signal);
  controller.abort(new Error('enough'));
  await assert.rejects(sleeping, /enough/);
});

test('retry: reports retried failures, not the final one', async () => {
  const failures = [GONE, serverError('overloaded'), serverError('invalid_mrc')];
  const final = failures.at(-1);
  const retried: unknown[] = [];
  const call = async () => {
    throw failures.shift();
  };
  await assert.rejects(
    new RetryPolicy().retry(call, undefined, (error) => retried.push(error)),
    (error) => error === final,
  );
  assert.deepEqual(
    retried.map((error) => (error as { code?: string }).code ?? 'connection'),
    ['connection', 'overloaded'],
  );
});
