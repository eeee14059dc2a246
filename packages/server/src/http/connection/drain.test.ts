import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { mock, test } from 'node:test';
import { Drain, linger } from './drain.ts';

test('drain: limits the bytes, the silence and the whole time', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const cut = mock.fn();
  const countCuts = (drain: Drain, act: () => void): number => {
    cut.mock.resetCalls();
    act();
    const count = cut.mock.callCount();
    drain.end();
    t.mock.timers.tick(1_000_000);
    assert.equal(cut.mock.callCount(), count, 'nothing is cut after the end');
    return count;
  };
  const drop = (bytes: number) => {
    const drain = new Drain(cut);
    return countCuts(drain, () => drain.note(bytes));
  };
  const wait = (ms: number, maxMs?: number) => countCuts(new Drain(cut, maxMs), () => t.mock.timers.tick(ms));
  assert.deepEqual([drop(2 ** 26), drop(2 ** 26 + 1)], [0, 1]);
  assert.deepEqual([wait(4_999), wait(5_000)], [0, 1]);
  assert.deepEqual([wait(999, 1_000), wait(1_000, 1_000)], [0, 1]);
});

class Connection extends PassThrough {
  isClosed = false;
  destroySoon(): void {
    this.isClosed = true;
  }
}

test('drain: a connection that is closed meanwhile ends its own side at once, and is destroyed when all has arrived', async () => {
  const connection = new Connection();
  const { promise, resolve } = Promise.withResolvers<void>();
  linger(connection, promise);
  connection.destroySoon();
  assert.deepEqual([connection.writableEnded, connection.isClosed], [true, false]);
  resolve();
  await promise;
  assert.equal(connection.isClosed, true);
});

test('drain: a connection that goes on afterwards closes as before', async () => {
  const connection = new Connection();
  linger(connection, Promise.resolve());
  await Promise.resolve();
  assert.deepEqual([connection.writableEnded, connection.isClosed], [false, false]);
  connection.destroySoon();
  assert.deepEqual([connection.writableEnded, connection.isClosed], [false, true]);
});
