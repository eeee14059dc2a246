import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallGate } from './call-gate.ts';

test('call gate: so many calls are under way, and the others begin in their order when one has ended', async () => {
  const gate = new CallGate(2);
  const started: number[] = [];
  const ends = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const calls = ends.map(({ promise }, nth) =>
    gate.run(async () => {
      started.push(nth);
      await promise;
      return nth;
    }),
  );
  assert.deepEqual(started, [0, 1], 'without a wait');
  ends[1]?.resolve();
  assert.equal(await calls[1], 1);
  await Promise.resolve();
  assert.deepEqual(started, [0, 1, 2]);
  for (const { resolve } of ends) resolve();
  assert.deepEqual(await Promise.all(calls), [0, 1, 2, 3, 4]);
  assert.deepEqual(started, [0, 1, 2, 3, 4]);
});

test('call gate: a call that fails gives its place back', async () => {
  const gate = new CallGate(1);
  const fail = () => Promise.reject(new Error('EIO'));
  const failed = [gate.run(fail), gate.run(fail)];
  for (const each of failed) await assert.rejects(each, /EIO/);
  assert.equal(await gate.run(async () => 'made'), 'made');
});
