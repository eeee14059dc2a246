import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../db/database.ts';
import { dialectOf } from '../db/dialect.ts';
import { testDatabases } from '../db/test-databases.ts';
import { Leases } from './leases.ts';
import { Rounds } from './rounds.ts';

const LONG_MS = 3_600_000;
const never = new AbortController().signal;
let lastId = 0;

function open(db: Database, t: { after(end: () => unknown): void }): Rounds {
  const leases = new Leases(db, () => String(++lastId), { warn() {} }, { ttlMs: 2_000, renewMs: 100, pollMs: 20 });
  t.after(() => leases.stop());
  return new Rounds(leases, { error: (fields, message) => assert.fail(`${message}: ${fields.err}`) });
}

testDatabases('rounds: one server does each round, and the next one when it is due', async (db, t) => {
  const [one, two] = [open(db, t), open(db, t)];
  const done: string[] = [];
  const run = (rounds: Rounds, everyMs: number) => rounds.run('sweep', everyMs, never, async () => done.push('x'));
  await Promise.all([run(one, 3_000), run(two, 3_000)]);
  assert.equal(done.length, 1);
  await sleep(3_100);
  await Promise.all([run(two, LONG_MS), run(one, LONG_MS)]);
  assert.equal(done.length, 2);
  assert.equal(await run(one, LONG_MS), null);
});

testDatabases('rounds: a requested round waits for that of another server, and is done', async (db, t) => {
  const [one, two] = [open(db, t), open(db, t)];
  const work = Promise.withResolvers<string>();
  const first = one.run('sweep', LONG_MS, never, () => work.promise);
  await sleep(200);
  two.request('sweep');
  const order: string[] = [];
  const second = two.run('sweep', LONG_MS, never, async () => order.push('second'));
  await sleep(200);
  order.push('first');
  work.resolve('done');
  assert.equal(await first, 'done');
  await second;
  assert.deepEqual(order, ['first', 'second']);
});

testDatabases('rounds: a request that the round of a timer has taken is done by another one', async (db, t) => {
  const rounds = open(db, t);
  const done: string[] = [];
  const run = (who: string) => rounds.run('sweep', LONG_MS, never, async () => done.push(who));
  const round = async () => {
    if (done.length === 0) await run('timer');
    return await run('request');
  };
  assert.notEqual(await rounds.doRequested('sweep', round), null);
  assert.deepEqual(done, ['timer', 'request']);
});

testDatabases('rounds: after the death of a server another one does the round', async (db, t) => {
  const [one, two] = [open(db, t), open(db, t)];
  const begun = Promise.withResolvers<void>();
  const first = one.run('sweep', LONG_MS, never, async (signal) => {
    begun.resolve();
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return 'given up';
  });
  await begun.promise;
  await db
    .updateTable('leases')
    .set({ expires_at: dialectOf(db).nowMs, holder: 'dead' })
    .execute();
  assert.equal(await two.run('sweep', LONG_MS, never, async () => 'done'), 'done');
  // The first was only thought to be dead.
  assert.equal(await first, 'given up');
});

testDatabases('rounds: without other servers each round is done', async () => {
  const rounds = new Rounds(null, { error() {} });
  for (const value of [1, 2]) assert.equal(await rounds.run('sweep', LONG_MS, never, async () => value), value);
});
