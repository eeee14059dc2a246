import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { FairQueue } from './fair-queue.ts';

const never = new AbortController().signal;

/** The started work, in order, and a function to end it. */
function makeBench(limits: Partial<ConstructorParameters<typeof FairQueue>[0]> = {}) {
  const queue = new FairQueue({
    max: 2,
    maxLong: 1,
    maxPerOwner: 1,
    maxWaitingPerOwner: 3,
    maxWaiting: 100,
    ...limits,
  });
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    started,
    ask(owner: string, name: string, isLong = false, signal = never) {
      const done = queue.take(owner, isLong, signal, async () => {
        started.push(name);
        await new Promise<void>((resolve) => ends.set(name, resolve));
      });
      done?.catch(() => {});
      return done;
    },
    async end(name: string) {
      ends.get(name)?.();
      await setImmediate();
    },
  };
}

test('turns: owners take turns, with any number of requests each', async () => {
  const { ask, started, end } = makeBench({ max: 1 });
  for (const name of ['a1', 'a2', 'a3']) ask('ada', name);
  ask('bob', 'b1');
  ask('eve', 'e1');
  await setImmediate();
  // Bob and Eve came after Ada's first turn, and wait for one of hers each time around.
  for (const name of ['a1', 'a2', 'b1', 'e1', 'a3']) {
    assert.equal(started.at(-1), name);
    await end(name);
  }
});

test('turns: running and waiting requests of one owner are limited', async () => {
  const { ask, started } = makeBench();
  for (const name of ['a1', 'a2', 'a3', 'a4']) assert.ok(ask('ada', name));
  await setImmediate();
  assert.equal(ask('ada', 'a5'), null);
  assert.ok(ask('bob', 'b1'));
  await setImmediate();
  assert.deepEqual(started, ['a1', 'b1']);
});

test('turns: long work leaves a slot for short work', async () => {
  const { ask, started, end } = makeBench({ maxPerOwner: 2 });
  ask('ada', 'a long', true);
  ask('ada', 'a long too', true);
  ask('bob', 'b long', true);
  ask('ada', 'a short');
  await setImmediate();
  assert.deepEqual(started, ['a long', 'a short']);
  await end('a long');
  assert.deepEqual(started, ['a long', 'a short', 'b long']);
});

test('turns: an aborted request gives its turn to the next, and the total is limited', async () => {
  const { ask, started, end } = makeBench({ max: 1, maxWaiting: 2 });
  ask('ada', 'a1');
  await setImmediate();
  const controller = new AbortController();
  const left = ask('bob', 'b1', false, controller.signal);
  assert.ok(ask('eve', 'e1'));
  assert.equal(ask('joe', 'j1'), null);
  controller.abort(new Error('gone'));
  await assert.rejects(left as Promise<void>, /gone/);
  assert.ok(ask('joe', 'j1'));
  await end('a1');
  assert.deepEqual(started, ['a1', 'e1']);
});
