import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Repeated } from './schedule.ts';

test('repeated work: all requests during a run share the next run', async (t) => {
  const ends: (() => void)[] = [];
  const signals: AbortSignal[] = [];
  const repeated = new Repeated(1_000_000, async (signal) => {
    signals.push(signal);
    await new Promise<void>((resolve) => ends.push(resolve));
    return ends.length;
  });
  t.after(() => repeated.stop());
  const first = repeated.now();
  await new Promise((resolve) => setImmediate(resolve));
  const others = [repeated.now(), repeated.now(), repeated.now()];
  ends[0]?.();
  assert.equal(await first, 1);
  await new Promise((resolve) => setImmediate(resolve));
  const stopped = repeated.stop();
  assert.ok(signals[1]?.aborted);
  ends[1]?.();
  assert.deepEqual(await Promise.all(others), [2, 2, 2]);
  await stopped;
  assert.equal(ends.length, 2);
});

test('repeated work: a failed run is repeated', async (t) => {
  const later = Promise.withResolvers<void>();
  let runs = 0;
  const repeated = new Repeated(1, async () => {
    if (++runs === 2) later.resolve();
    throw new Error('broken');
  });
  t.after(() => repeated.stop());
  await later.promise;
});
