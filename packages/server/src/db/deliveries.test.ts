import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import type { Database } from './database.ts';
import * as deliveries from './deliveries.ts';
import { insertEvent } from './events.ts';
import { MIGRATIONS } from './migrations.ts';
import { openSqliteFile } from './open.ts';
import { ThreadedSqlite } from './sqlite/driver.ts';
import type { DeliveryRow, EventRow } from './tables.ts';
import { testDatabases } from './test-databases.ts';
import { makeFolder } from './test-rows.ts';

const prepare = ({ subject }: EventRow) => ({ uploadId: subject, event: '{}' });

/** Events of these uploads, numbered from 1, as deliveries of 0 ms. */
async function begin(db: Database, subjects: string): Promise<void> {
  await deliveries.beginDeliveries(db);
  await happen(db, subjects);
  await deliveries.addDeliveries(db, 100, 0, 0, prepare);
}

async function happen(db: Database, subjects: string, owner = 'ada'): Promise<void> {
  for (const subject of subjects) {
    await insertEvent(db, { id: `${subject}${Math.random()}`, type: 't', subject, owner, time: 1, data: '{}' });
  }
}

async function all(db: Database): Promise<number[]> {
  return (await deliveries.listDeliveries(db, { after: 0, limit: 100 })).map(({ seq }) => seq);
}

async function due(db: Database, nowMs: number, busy: string[] = [], limit = 9): Promise<number[]> {
  return (await deliveries.listDue(db, nowMs, busy, limit)).map(({ seq }) => seq);
}

async function fail(db: Database, seq: number, status: 'waiting' | 'dead', nextAtMs: number): Promise<void> {
  const [row] = await deliveries.listDeliveries(db, { after: seq - 1, limit: 1 });
  const claimed = { seq, attempts: 0, due_at: row?.due_at ?? null };
  await deliveries.noteFailure(db, claimed, { status, nextAtMs, trouble: 'x' });
}

testDatabases('deliveries: the first start skips past events, a later one continues', async (db) => {
  await happen(db, 'aa');
  await begin(db, 'bcd');
  assert.deepEqual(await all(db), [3, 4, 5]);
  await happen(db, 'ef');
  await deliveries.beginDeliveries(db);
  assert.equal(await deliveries.addDeliveries(db, 1, 0, 0, prepare), 1);
  assert.equal(await deliveries.addDeliveries(db, 10, 0, 0, prepare), 1);
  assert.deepEqual(await all(db), [3, 4, 5, 6, 7]);
});

testDatabases('deliveries: events and cursor are moved in one transaction', async (db) => {
  await begin(db, '');
  await happen(db, 'ab');
  const broken = deliveries.addDeliveries(db, 10, 0, 0, (row) => {
    if (row.subject === 'b') throw new Error('broken');
    return prepare(row);
  });
  await assert.rejects(broken, /broken/);
  // The rows are written, the cursor fails: all is rolled back.
  await db.schema.createIndex('one').unique().on('deliveries').column('upload_id').execute();
  await happen(db, 'b');
  await assert.rejects(deliveries.addDeliveries(db, 10, 0, 0, prepare), /unique/i);
  assert.deepEqual(await all(db), []);
  await db.schema.dropIndex('one').execute();
  assert.equal(await deliveries.addDeliveries(db, 10, 0, 0, prepare), 3);
});

testDatabases(
  'deliveries: only the oldest of an upload is due; a dead one blocks none, and is first again when revived',
  async (db) => {
    await begin(db, 'abab');
    assert.deepEqual(await due(db, 0), [1, 2]);
    assert.deepEqual(await due(db, 0, ['a']), [2]);
    assert.deepEqual(await due(db, 0, [], 1), [1]);

    await fail(db, 1, 'waiting', 500);
    assert.deepEqual(await due(db, 499), [2], 'the later one of a does not overtake');
    assert.equal(await deliveries.findNextDelivery(db, ['b']), 500);
    assert.deepEqual(await due(db, 500), [2, 1], 'what has been due for longest comes first');

    await fail(db, 1, 'dead', 900);
    await deliveries.removeDelivery(db, 2);
    assert.deepEqual(await due(db, 0), [3, 4]);
    assert.equal((await deliveries.reviveDelivery(db, 1, 600))?.created_at, 600);
    assert.deepEqual(await due(db, 600), [4, 1]);
    assert.equal(await deliveries.reviveDelivery(db, 2, 600), undefined);
  },
);

testDatabases('deliveries: owners take turns', async (db) => {
  await begin(db, '');
  await happen(db, 'abcdef', 'eve');
  await happen(db, 'gh', 'ada');
  await happen(db, 'i', 'zoe');
  await deliveries.addDeliveries(db, 100, 0, 0, prepare);
  assert.deepEqual(await due(db, 0), [7, 1, 9, 8, 2, 3, 4, 5, 6]);
  const after = async (owner: string) => (await deliveries.listDue(db, 0, ['b'], 2, owner)).map(({ seq }) => seq);
  assert.deepEqual(await after('ada'), [1, 9]);
  assert.deepEqual(await after('zoe'), [7, 1]);
});

testDatabases('deliveries: dead ones are deleted after their time, waiting ones never', async (db) => {
  await begin(db, 'ab');
  await fail(db, 1, 'dead', 1000);
  for (const [deadBeforeMs, kept] of [
    [1000, [1, 2, 3]],
    [1001, [2, 3, 4]],
  ] as const) {
    await happen(db, 'c');
    await deliveries.addDeliveries(db, 10, 2000, deadBeforeMs, prepare);
    assert.deepEqual(await all(db), kept);
  }
});

test('deliveries: waiting rows of an earlier version stay due', async (t) => {
  const path = join(await makeFolder(t), 'a.sqlite');
  const before = new Kysely<{ deliveries: object }>({ dialect: new ThreadedSqlite(path) });
  const migrator = new Migrator({ db: before, provider: { getMigrations: async () => MIGRATIONS } });
  assert.equal((await migrator.migrateTo('006_trials')).error, undefined);
  for (const [seq, upload_id, status, next_at] of [
    [1, 'a', 'dead', 100],
    [2, 'a', 'waiting', 500],
    [3, 'a', 'waiting', 100],
    [4, 'b', 'waiting', 200],
  ] as const) {
    const texts = { owner: 'ada', event: '{}', attempts: 0, created_at: 100, trouble: null };
    await before
      .insertInto('deliveries')
      .values({ seq, upload_id, status, next_at, ...texts })
      .execute();
  }
  await before.destroy();
  const db = await openSqliteFile(path);
  t.after(() => db.destroy());
  assert.deepEqual([await due(db, 499), await due(db, 500)], [[4], [4, 2]]);
});

testDatabases(
  'a delivery is sent by one server at a time, and by the next one when the lease has ended',
  async (db) => {
    await begin(db, 'ab');
    const [first] = await deliveries.listDue(db, 0, [], 9);
    assert.ok(first);
    const claims = await Promise.all([1, 2, 3].map(() => deliveries.claimDelivery(db, first, 60)));
    const [claimed, ...others] = claims.filter((row) => row !== null);
    assert.ok(claimed);
    assert.equal(others.length, 0);
    assert.deepEqual(await due(db, 59), [2]);
    const late = (await deliveries.listDue(db, 60, [], 9)).find(({ seq }) => seq === first.seq);
    const second = await deliveries.claimDelivery(db, late as DeliveryRow, 120);
    assert.equal(second?.seq, claimed.seq);
    // The first server has lost its lease: what it says of its attempt changes nothing.
    await deliveries.noteFailure(db, claimed, { status: 'dead', nextAtMs: 500, trouble: 'x' });
    assert.equal((await deliveries.countDeliveries(db)).dead, 0);
    await deliveries.releaseDelivery(db, second as DeliveryRow);
    assert.deepEqual(await due(db, 61), [1, 2]);
  },
);

testDatabases('what a dead process had claimed is due as before', async (db) => {
  await begin(db, 'a');
  const [first] = await deliveries.listDue(db, 0, [], 1);
  await deliveries.claimDelivery(db, first as DeliveryRow, 60);
  assert.deepEqual(await due(db, 1), []);
  await deliveries.releaseDeliveries(db);
  assert.deepEqual(await due(db, 1), [1]);
});
