import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { type Database, transact } from './database.ts';
import { dialectOf } from './dialect.ts';
import {
  askForLease,
  askForLeases,
  findLease,
  findLeases,
  forgetLeases,
  lockLease,
  releaseLease,
  renewLeases,
  takeLease,
} from './leases.ts';
import { testDatabases } from './test-databases.ts';

const LONG_MS = 60_000;
const [first, second] = [
  { name: 'part/u/0', holder: 'a' },
  { name: 'part/u/0', holder: 'b' },
];

/** Ends the time of all leases. */
async function expireAll(db: Database): Promise<void> {
  await db
    .updateTable('leases')
    .set({ expires_at: dialectOf(db).nowMs })
    .execute();
}

testDatabases('leases: one holder has a lease, until it gives it back', async (db) => {
  assert.equal(await takeLease(db, first, LONG_MS), true);
  assert.equal(await takeLease(db, second, LONG_MS), false);
  // The answer was lost.
  assert.equal(await takeLease(db, first, LONG_MS), true);
  await releaseLease(db, second);
  assert.equal((await findLease(db, first.name))?.holder, 'a');
  await releaseLease(db, first);
  assert.equal(await findLease(db, first.name), undefined);
  assert.equal(await takeLease(db, second, LONG_MS), true);
});

testDatabases('leases: of many that ask for a free lease at once, one gets it', async (db) => {
  for (let round = 0; round < 5; round++) {
    const name = `round/${round}`;
    const taken = await Promise.all(
      Array.from({ length: 8 }, (_, at) => takeLease(db, { name, holder: `${round}-${at}` }, LONG_MS)),
    );
    assert.equal(taken.filter(Boolean).length, 1);
  }
});

testDatabases(
  'leases: a lease whose time is over is taken by another holder, and is lost for the first',
  async (db) => {
    await takeLease(db, first, LONG_MS);
    await expireAll(db);
    // Nobody has taken it: it is still there to be renewed.
    assert.equal((await renewLeases(db, [first], LONG_MS)).length, 1);
    assert.equal(await takeLease(db, second, LONG_MS), false);
    await expireAll(db);
    assert.equal(await takeLease(db, second, LONG_MS), true);
    assert.deepEqual(await renewLeases(db, [first], LONG_MS), []);
    assert.deepEqual(await findLeases(db, [first]), []);
    assert.equal(await transact(db, (tx) => lockLease(tx, first)), false);
    assert.equal(await transact(db, (tx) => lockLease(tx, second)), true);
    await releaseLease(db, first);
    assert.equal((await findLease(db, first.name))?.holder, 'b');
  },
);

testDatabases('leases: times are those of the database', async (db) => {
  const before = Date.now();
  await takeLease(db, first, LONG_MS);
  const expiresAt = (await findLease(db, first.name))?.expires_at ?? 0;
  assert.ok(Math.abs(expiresAt - LONG_MS - before) < LONG_MS, `${expiresAt}`);
  const short = { name: 'short', holder: 'a' };
  await takeLease(db, short, 1);
  await sleep(20);
  assert.equal(await findLease(db, short.name), undefined);
  await forgetLeases(db, LONG_MS);
  assert.equal((await findLeases(db, [short])).length, 1);
  await forgetLeases(db, 1);
  assert.equal((await findLeases(db, [short])).length, 0);
  assert.equal((await findLeases(db, [first])).length, 1);
});

testDatabases('leases: the holder learns who asks, and the newest takes the place of the others', async (db) => {
  await takeLease(db, first, LONG_MS);
  await takeLease(db, { name: 'part/u/10', holder: 'c' }, LONG_MS);
  await takeLease(db, { name: 'part/u0/0', holder: 'd' }, LONG_MS);
  assert.equal(await askForLease(db, first.name, 'b'), 'a');
  assert.equal(await askForLease(db, 'nobody has it', 'b'), undefined);
  const successorOf = async (name: string) => (await findLease(db, name))?.successor;
  assert.equal(await successorOf(first.name), 'b');
  assert.equal(await askForLeases(db, 'part/u/', 'x'), 2);
  assert.deepEqual(await Promise.all(['part/u/0', 'part/u/10', 'part/u0/0'].map(successorOf)), ['x', 'x', null]);
  await releaseLease(db, first);
  await takeLease(db, second, LONG_MS);
  assert.equal(await successorOf(first.name), null);
});

testDatabases('leases: a locked lease is not taken over before the transaction has ended', async (db) => {
  await takeLease(db, first, LONG_MS);
  const order: string[] = [];
  await transact(db, async (tx) => {
    assert.equal(await lockLease(tx, first), true);
    await tx.updateTable('leases').set({ expires_at: sql<number>`0` }).execute();
    order.push('guarded');
  }).then(() => order.push('committed'));
  assert.equal(await takeLease(db, second, LONG_MS), true);
  assert.deepEqual(order, ['guarded', 'committed']);
});
