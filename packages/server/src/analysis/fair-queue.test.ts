import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { FairQueue } from './fair-queue.ts';

const never = new AbortController().signal;

/** What has begun, in order, and how to end it. */
function makeBench(limits: Partial<ConstructorParameters<typeof FairQueue>[0]> = {}) {
  const queue = new FairQueue({
    max: 2,
    maxLong: 1,
    maxPerOwner: 1,
    maxWaitingPerOwner: 3,
    maxWaiting: 100,
    ...limits,
  });
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    begun,
    ask(owner: string, name: string, isLong = false, signal = never) {
      const done = queue.take(owner, isLong, signal, async () => {
        begun.push(name);
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

test('turns: owners take them one after the other, however much each asks for', async () => {
  const { ask, begun, end } = makeBench({ max: 1 });
  for (const name of ['a1', 'a2', 'a3']) ask('ada', name);
  ask('bob', 'b1');
  ask('eve', 'e1');
  await setImmediate();
  // Bob and Eve came after Ada's first turn, and wait for one of hers each time around.
  for (const name of ['a1', 'a2', 'b1', 'e1', 'a3']) {
    assert.equal(begun.at(-1), name);
    await end(name);
  }
});

test('turns: one owner has some only, of those at work and of those that wait', async () => {
  const { ask, begun } = makeBench();
  for (const name of ['a1', 'a2', 'a3', 'a4']) assert.ok(ask('ada', name));
  await setImmediate();
  assert.equal(ask('ada', 'a5'), null);
  assert.ok(ask('bob', 'b1'));
  await setImmediate();
  assert.deepEqual(begun, ['a1', 'b1']);
});

test('turns: what takes long leaves a place for what does not', async () => {
  const { ask, begun, end } = makeBench({ maxPerOwner: 2 });
  ask('ada', 'a long', true);
  ask('ada', 'a long too', true);
  ask('bob', 'b long', true);
  ask('ada', 'a short');
  await setImmediate();
  assert.deepEqual(begun, ['a long', 'a short']);
  await end('a long');
  assert.deepEqual(begun, ['a long', 'a short', 'b long']);
});

test('turns: who leaves before the turn gives it to the next, and all are bounded together', async () => {
  const { ask, begun, end } = makeBench({ max: 1, maxWaiting: 2 });
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
  assert.deepEqual(begun, ['a1', 'e1']);
});
