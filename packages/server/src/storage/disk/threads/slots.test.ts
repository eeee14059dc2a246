import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SLOT_BYTES, type SlotHolder, SlotPool } from './slots.ts';

const idle: SlotHolder = { yieldSlot() {} };

test('slots: each slot is given once', () => {
  const pool = new SlotPool(3);
  const slots = [1, 2, 3].map(() => pool.take(idle));
  assert.deepEqual(slots.sort(), [0, 1, 2]);
  assert.equal(pool.take(idle), undefined);
  pool.release(1);
  assert.equal(pool.take(idle), 1);
});

test('slots: views are shared memory and do not overlap', () => {
  const pool = new SlotPool(2);
  pool.view(0).fill(1);
  pool.view(1).fill(2);
  const all = new Uint8Array(pool.memory);
  assert.equal(all.length, 2 * SLOT_BYTES);
  assert.deepEqual([all[0], all[SLOT_BYTES - 1], all[SLOT_BYTES], all.at(-1)], [1, 1, 2, 2]);
});

test('slots: waiters get slots in order, before callers that do not wait', async () => {
  const pool = new SlotPool(1);
  const slot = pool.take(idle) as number;
  const served: string[] = [];
  const first = pool.wait(idle).then((got) => {
    served.push('first');
    assert.equal(pool.take(idle), undefined);
    pool.release(got);
  });
  const second = pool.wait(idle).then((got) => {
    served.push('second');
    pool.release(got);
  });
  assert.equal(pool.take(idle), undefined);
  pool.release(slot);
  assert.equal(pool.take(idle), undefined);
  await Promise.all([first, second]);
  assert.deepEqual(served, ['first', 'second']);
  assert.equal(pool.take(idle), slot);
});

/** A holder that gives its slot back when it is asked to. */
function hold(pool: SlotPool, asked: string[], name: string): number {
  const holder = {
    slot: 0,
    yieldSlot() {
      asked.push(name);
      pool.handOver(holder.slot);
      pool.release(holder.slot);
    },
  };
  holder.slot = pool.take(holder) as number;
  return holder.slot;
}

test('slots: the oldest holders must release their slots, as many as there are waiters', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const pool = new SlotPool(3);
  const asked: string[] = [];
  const [old, older] = ['old', 'older', 'young'].map((name) => hold(pool, asked, name));
  const waiting = [pool.wait(idle), pool.wait(idle)];
  assert.deepEqual(asked, [], 'an active sender fills it at once');
  t.mock.timers.tick(10);
  assert.deepEqual((await Promise.all(waiting)).sort(), [old, older]);
  assert.deepEqual(asked, ['old', 'older']);
});

test('slots: no holder must release when a slot was returned meanwhile', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const pool = new SlotPool(2);
  const asked: string[] = [];
  const first = hold(pool, asked, 'first');
  const passedOn = pool.take(idle) as number;
  pool.handOver(passedOn);
  const waiting = pool.wait(idle);
  pool.release(passedOn);
  assert.equal(await waiting, passedOn);
  t.mock.timers.tick(10);
  assert.deepEqual(asked, []);
  pool.release(first);
});

test('slots: a slot in a worker is not requested', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const pool = new SlotPool(1);
  const holder: SlotHolder = { yieldSlot: () => assert.fail('was asked') };
  pool.handOver(pool.take(holder) as number);
  void pool.wait(idle);
  t.mock.timers.tick(10);
});
