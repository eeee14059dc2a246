import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from './turns.ts';

const never = new AbortController().signal;

test('turns: so many at a time, in order, also after a failure', async () => {
  const turns = new Turns(2);
  const started: number[] = [];
  const gates = [0, 1, 2, 3].map(() => Promise.withResolvers<void>());
  const tasks = gates.map(({ promise }, at) =>
    turns.take(never, async () => {
      started.push(at);
      await promise;
    }),
  );
  await Promise.resolve();
  assert.deepEqual(started, [0, 1]);
  gates[1]?.reject(new Error('lost'));
  await assert.rejects(tasks[1] as Promise<void>, /lost/);
  assert.deepEqual(started, [0, 1, 2]);
  for (const { resolve } of gates) resolve();
  await Promise.all([tasks[0], tasks[2], tasks[3]]);
  assert.deepEqual(started, [0, 1, 2, 3]);
});

test('turns: a task that is cancelled while it waits takes no turn', async () => {
  const turns = new Turns(1);
  const gate = Promise.withResolvers<void>();
  const first = turns.take(never, () => gate.promise);
  const controller = new AbortController();
  const second = turns.take(controller.signal, () => assert.fail('it was cancelled'));
  const third = turns.take(never, async () => 'third');
  controller.abort(new Error('gone'));
  await assert.rejects(second, /gone/);
  gate.resolve();
  await first;
  assert.equal(await third, 'third');
});
