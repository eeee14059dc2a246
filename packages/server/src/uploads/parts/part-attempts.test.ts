import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { type Attempt, PartAttempts } from './part-attempts.ts';

/** Follows a promise, so that a test can ask whether it has settled. */
function watch<T>(promise: Promise<T>) {
  const watched = { done: false, promise };
  promise.then(() => {
    watched.done = true;
  });
  return watched;
}

test('attempts: different parts and uploads are independent', async () => {
  const attempts = new PartAttempts();
  const all = [await attempts.begin('a', 0), await attempts.begin('a', 1), await attempts.begin('b', 0)];
  assert.equal(attempts.count, 3);
  assert.deepEqual(
    all.map((attempt) => attempt.aborted),
    [false, false, false],
  );
  for (const attempt of all) attempt.release();
  await setImmediate();
  assert.equal(attempts.count, 0);
});

test('attempts: a newer attempt aborts the older one and waits for its last write', async () => {
  const attempts = new PartAttempts();
  const older = await attempts.begin('a', 0);
  let aborted = 0;
  older.onAbort(() => aborted++);
  const newer = watch(attempts.begin('a', 0));
  assert.equal(older.aborted, true);
  assert.equal(aborted, 1);
  assert.equal(older.beginCommit(), false);
  await setImmediate();
  assert.equal(newer.done, false);
  older.release();
  const attempt = await newer.promise;
  assert.equal(attempt.aborted, false);
  assert.equal(await attempts.current('a', 0), attempt);
  assert.equal(aborted, 1);
});

test('attempts: a committing attempt is not aborted, only awaited', async () => {
  const attempts = new PartAttempts();
  const older = await attempts.begin('a', 0);
  older.onAbort(() => assert.fail('was aborted'));
  assert.equal(older.beginCommit(), true);
  const newer = watch(attempts.begin('a', 0));
  await setImmediate();
  assert.deepEqual([older.aborted, newer.done], [false, false]);
  older.release();
  await newer.promise;
});

test('attempts: of three, the last one starts after both others have ended', async () => {
  const attempts = new PartAttempts();
  const first = await attempts.begin('a', 0);
  const order: string[] = [];
  const second = attempts.begin('a', 0).then((attempt) => {
    order.push('second');
    // It was overtaken while it waited: what it does to stop is done as soon as it says what that is.
    assert.equal(attempt.aborted, true);
    attempt.onAbort(() => {
      order.push('second stopped');
      attempt.release();
    });
  });
  const third = attempts.begin('a', 0).then((attempt) => {
    order.push('third');
    return attempt;
  });
  await setImmediate();
  assert.deepEqual(order, []);
  first.release();
  const [, last] = await Promise.all([second, third]);
  assert.deepEqual(order, ['second', 'second stopped', 'third']);
  assert.deepEqual([last.aborted, attempts.count], [false, 1]);
});

test('attempts: exclude aborts writing attempts, waits for all, and makes new ones wait', async () => {
  const attempts = new PartAttempts();
  const [writing, committing, waited] = [
    await attempts.begin('a', 0),
    await attempts.begin('a', 1),
    new Set<Attempt>(),
  ];
  const other = await attempts.begin('b', 0);
  writing.onAbort(() => waited.add(writing));
  committing.beginCommit();
  const work = Promise.withResolvers<void>();
  let began = false;
  const excluded = watch(
    attempts.exclude('a', () => {
      began = true;
      return work.promise;
    }),
  );
  assert.deepEqual([waited.has(writing), committing.aborted, other.aborted], [true, false, false]);
  writing.release();
  await setImmediate();
  assert.equal(began, false);
  committing.release();
  await setImmediate();
  assert.equal(began, true);
  const next = watch(attempts.begin('a', 2));
  const second = watch(attempts.exclude('a', async () => {}));
  await setImmediate();
  assert.deepEqual([excluded.done, next.done, second.done, attempts.count], [false, false, false, 1]);
  work.resolve();
  await excluded.promise;
  (await next.promise).release();
  await second.promise;
  await attempts.exclude('nobody', async () => {});
  assert.equal(attempts.count, 1);
});

test('attempts: a second release does not affect a newer attempt', async () => {
  const attempts = new PartAttempts();
  const older = await attempts.begin('a', 0);
  older.release();
  const newer = await attempts.begin('a', 0);
  older.release();
  await setImmediate();
  assert.equal(await attempts.current('a', 0), newer);
  newer.release();
  await setImmediate();
  assert.equal(await attempts.current('a', 0), undefined);
});

test('attempts: calls of exclude run one at a time, and no attempt starts meanwhile', async () => {
  const attempts = new PartAttempts();
  const first = Promise.withResolvers<void>();
  const running = [attempts.exclude('a', () => first.promise)];
  let alone = 0;
  const counts: { alone: number; attempts: number }[] = [];
  const work = async () => {
    alone++;
    await setImmediate();
    counts.push({ alone, attempts: attempts.count });
    alone--;
  };
  running.push(attempts.exclude('a', work), attempts.exclude('a', work));
  // Where it comes first, the work after it ends it.
  const started = attempts.begin('a', 0).then((attempt) => attempt.onAbort(() => attempt.release()));
  running.push(attempts.exclude('a', work));
  first.resolve();
  await Promise.all([...running, started]);
  assert.deepEqual(counts, Array(3).fill({ alone: 1, attempts: 0 }));
});
