import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { UploadError } from '@cryolift/protocol/errors';
import { type Database, transact } from '../../db/database.ts';
import { dialectOf } from '../../db/dialect.ts';
import { findLease } from '../../db/leases.ts';
import { testDatabases } from '../../db/test-databases.ts';
import { Leases } from '../../leases/leases.ts';
import { LeasedAttempts } from './leased-attempts.ts';

const QUICK = { ttlMs: 5_000, renewMs: 100, pollMs: 20 };
let lastId = 0;

function open(db: Database, t: { after(end: () => unknown): void }): LeasedAttempts {
  const leases = new Leases(db, () => String(++lastId), { warn() {} }, QUICK);
  t.after(() => leases.stop());
  return new LeasedAttempts(db, leases);
}

const isTakenOver = (error: unknown) => error instanceof UploadError && error.code === 'overloaded';

testDatabases('attempts: a newer attempt at another server aborts the older one and waits for it', async (db, t) => {
  const [one, two] = [open(db, t), open(db, t)];
  const older = await one.begin('u', 0);
  const order: string[] = [];
  older.onAbort(async () => {
    order.push('aborted');
    // Its last write takes a while.
    await sleep(300);
    order.push('released');
    older.release();
  });
  const other = await one.begin('u', 1);
  const newer = await two.begin('u', 0);
  order.push('replaced');
  assert.deepEqual([older.aborted, other.aborted, newer.aborted], [true, false, false]);
  assert.deepEqual(order, ['aborted', 'released', 'replaced']);
  assert.deepEqual([await older.isConfirmed(), await newer.isConfirmed()], [false, true]);
  for (const attempt of [other, newer]) attempt.release();
});

testDatabases('attempts: one that commits at another server is only awaited', async (db, t) => {
  const [one, two] = [open(db, t), open(db, t)];
  const older = await one.begin('u', 0);
  older.onAbort(() => assert.fail('was aborted'));
  assert.equal(older.beginCommit(), true);
  const newer = two.begin('u', 0);
  const state = await Promise.race([newer, sleep(500)]);
  assert.equal(state, undefined);
  assert.equal(older.aborted, false);
  older.release();
  (await newer).release();
});

testDatabases('attempts: the current one of another server is known until it ends', async (db, t) => {
  const [one, two] = [open(db, t), open(db, t)];
  assert.equal(await two.current('u', 0), undefined);
  const attempt = await one.begin('u', 0);
  assert.deepEqual(await two.listReceived('u', [0, 1]), new Set([0]));
  const seen = await two.current('u', 0);
  assert.ok(seen);
  attempt.release();
  await seen.released;
  assert.equal(await two.current('u', 0), undefined);
});

testDatabases('attempts: exclude ends the attempts of all servers, and new ones wait', async (db, t) => {
  const [one, two] = [open(db, t), open(db, t)];
  const older = await one.begin('u', 0);
  older.onAbort(() => older.release());
  const other = await one.begin('v', 0);
  const work = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const excluded = two.exclude('u', async () => {
    begun.resolve();
    await work.promise;
    await two.assertExclusive('u');
    await transact(db, two.guardExclusive('u'));
  });
  await begun.promise;
  assert.deepEqual([older.aborted, other.aborted], [true, false]);
  assert.deepEqual([await one.isExclusive('u'), await one.isExclusive('v')], [true, false]);
  const order: string[] = [];
  const next = one.begin('u', 1).then((attempt) => {
    order.push('attempt');
    return attempt;
  });
  const second = one.exclude('v', async () => {}).then(() => order.push('another upload'));
  other.release();
  await second;
  await sleep(300);
  assert.deepEqual(order, ['another upload']);
  work.resolve();
  await excluded;
  (await next).release();
});

testDatabases('attempts: exclude runs at one server at a time', async (db, t) => {
  const servers = [open(db, t), open(db, t)];
  let alone = 0;
  const counts: number[] = [];
  const work = async () => {
    counts.push(++alone);
    await sleep(20);
    alone--;
  };
  await Promise.all([0, 1, 0, 1].map((at) => servers[at]?.exclude('u', work)));
  assert.deepEqual(counts, [1, 1, 1, 1]);
});

testDatabases('attempts: work that has lost its lease may not go on', async (db, t) => {
  const [one, two] = [open(db, t), open(db, t)];
  await one.exclude('u', async () => {
    await one.assertExclusive('u');
    // As after a pause that was longer than the lease.
    await db
      .updateTable('leases')
      .set({ expires_at: dialectOf(db).nowMs, holder: 'dead' })
      .execute();
    await two.exclude('u', async () => {
      await assert.rejects(one.assertExclusive('u'), isTakenOver);
      await assert.rejects(transact(db, one.guardExclusive('u')), isTakenOver);
      await two.assertExclusive('u');
    });
  });
  await assert.rejects(one.assertExclusive('u'), isTakenOver);
});

testDatabases('attempts: an attempt that was aborted while it waited is given back', async (db, t) => {
  const [one, two] = [open(db, t), open(db, t)];
  const held = await one.begin('u', 0);
  held.beginCommit();
  const older = two.begin('u', 0);
  await sleep(200);
  const newer = two.begin('u', 0);
  const overtaken = await older;
  assert.equal(overtaken.aborted, true);
  overtaken.release();
  held.release();
  const last = await newer;
  assert.equal(last.aborted, false);
  last.release();
  while (await findLease(db, 'part/u/0')) await sleep(20);
  assert.deepEqual([one.count, two.count], [0, 0]);
});
