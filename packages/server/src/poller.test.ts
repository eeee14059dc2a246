import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Poller } from './poller.ts';

const never = { nextMs: async () => null, onError() {}, shortestMs: 1, longestMs: 3_600_000 };

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await delay(5);
}

test('poller: wakes during a poll lead to one more poll, never two at once', async () => {
  let polls = 0;
  let atOnce = 0;
  const poller = new Poller({
    ...never,
    async poll() {
      assert.equal(++atOnce, 1);
      polls++;
      await delay(20);
      atOnce--;
    },
  });
  poller.wake();
  await until(() => polls === 1);
  poller.wake();
  poller.wake();
  await until(() => polls === 2 && atOnce === 0);
  await poller.stop();
  assert.equal(polls, 2);
});

test('poller: a wake while the next time is read is not lost', async () => {
  let polls = 0;
  const lookup = Promise.withResolvers<null>();
  const poller = new Poller({ ...never, nextMs: () => lookup.promise, poll: async () => void polls++ });
  poller.wake();
  await until(() => polls === 1);
  await delay(5);
  poller.wake();
  lookup.resolve(null);
  await until(() => polls === 2);
  await poller.stop();
});

test('poller: polls again when the next piece is due, and after an error', async () => {
  let polls = 0;
  const errors: unknown[] = [];
  const poller = new Poller({
    shortestMs: 1,
    longestMs: 20,
    poll: async () => {
      if (++polls === 2) throw new Error('no database');
    },
    nextMs: async () => 0,
    onError: (error) => errors.push(error),
  });
  poller.wake();
  await until(() => polls >= 4);
  await poller.stop();
  assert.equal(errors.length, 1);
});

test('poller: after a stop nothing is polled', async () => {
  let polls = 0;
  const poller = new Poller({ ...never, poll: async () => void polls++ });
  await poller.stop();
  poller.wake();
  await delay(20);
  assert.equal(polls, 0);
  assert.ok(poller.signal.aborted);
});
