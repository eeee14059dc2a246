import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../db/database.ts';
import { dialectOf } from '../db/dialect.ts';
import { testDatabases } from '../db/test-databases.ts';
import { Lease } from './lease.ts';
import { Leases, type LeaseTimes } from './leases.ts';

const QUICK = { ttlMs: 2_000, renewMs: 100, pollMs: 50 };
let lastId = 0;

/** Servers on one database. */
function open(db: Database, t: { after(end: () => unknown): void }, times: Partial<LeaseTimes> = QUICK): Leases {
  const leases = new Leases(db, () => String(++lastId), { warn() {} }, times);
  t.after(() => leases.stop());
  return leases;
}

function asked(lease: Lease): Promise<void> {
  return new Promise((resolve) => lease.whenAsked(resolve));
}

testDatabases('leases: one that is held for longer than its time is renewed', async (db, t) => {
  const [one, two] = [open(db, t), open(db, t)];
  const lease = await one.take('a');
  assert.ok(lease);
  await sleep(1.5 * QUICK.ttlMs);
  assert.equal(await two.take('a'), null);
  assert.equal(await lease.confirm(), true);
  await lease.release();
  assert.equal(await lease.confirm(), false);
  assert.ok(await two.take('a'));
});

testDatabases('leases: a holder gives its lease up when another server asks for it', async (db, t) => {
  const [one, two] = [open(db, t), open(db, t)];
  const lease = (await one.take('a')) as Lease;
  void asked(lease).then(() => lease.release());
  const next = await two.replace('a');
  assert.ok(next);
  assert.equal(await next.confirm(), true);
  assert.equal(lease.lost.aborted, false);
});

testDatabases('leases: of several that ask, the newest gets the lease, and the others nothing', async (db, t) => {
  const servers = [open(db, t), open(db, t), open(db, t)] as const;
  const lease = (await servers[0].take('a')) as Lease;
  const older = servers[1].replace('a');
  await asked(lease);
  const newer = servers[2].replace('a');
  assert.equal(await older, null);
  await lease.release();
  assert.ok(await newer);
});

testDatabases('leases: a wait for a lease ends when it is over', async (db, t) => {
  const [one, two] = [open(db, t), open(db, t)];
  const lease = (await one.take('a')) as Lease;
  let isOver = false;
  const waiting = two.replace('a', () => isOver);
  const stop = new AbortController();
  const queued = two.waitFor('a', stop.signal);
  isOver = true;
  assert.equal(await waiting, null);
  stop.abort();
  await assert.rejects(queued, { name: 'AbortError' });
  assert.equal(await lease.confirm(), true);
});

testDatabases('leases: a holder learns that another server has its lease', async (db, t) => {
  const [one, two] = [open(db, t), open(db, t)];
  const lease = (await one.take('a')) as Lease;
  const { promise, resolve } = Promise.withResolvers<void>();
  lease.lost.addEventListener('abort', () => resolve());
  await db
    .updateTable('leases')
    .set({ expires_at: dialectOf(db).nowMs, holder: 'dead' })
    .execute();
  assert.ok(await two.waitFor('a'));
  assert.equal(await lease.confirm(), false);
  await promise;
});

testDatabases('leases: a holder that was lost gives nothing back of its successor', async (db, t) => {
  const [one, two] = [open(db, t), open(db, t)];
  const lease = (await one.take('a')) as Lease;
  await db
    .updateTable('leases')
    .set({ expires_at: dialectOf(db).nowMs, holder: 'dead' })
    .execute();
  const next = await two.waitFor('a');
  await lease.release();
  assert.equal(await next.confirm(), true);
});

testDatabases('leases: what cannot be renewed in time is lost without an answer of the database', async (db, t) => {
  const failing = { isDown: false };
  // Every query fails, as while the database is away.
  const flaky = new Proxy(db, {
    get(target, name) {
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        if (failing.isDown) throw new Error('the database is away');
        return (value as (...args: unknown[]) => unknown).apply(target, args);
      };
    },
  });
  const one = open(flaky, t);
  const lease = (await one.take('a')) as Lease;
  failing.isDown = true;
  const { promise, resolve } = Promise.withResolvers<void>();
  lease.lost.addEventListener('abort', () => resolve());
  await promise;
  assert.equal(lease.remainingMs(), 0);
  failing.isDown = false;
  // Nobody else has had it, but this server cannot know what it has done meanwhile.
  assert.equal(await lease.confirm(), false);
});

test('leases: a question before there is anyone to answer it is not lost', () => {
  const owner = { confirm: async () => true, end: async () => {} };
  const lease = new Lease({ name: 'a', holder: '1' }, performance.now() + 1000, owner);
  lease.noteAsked();
  let times = 0;
  lease.whenAsked(() => times++);
  lease.noteAsked();
  assert.equal(times, 1);
});
