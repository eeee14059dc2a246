/** What only many servers on one PostgreSQL can do to each other, and what a database that goes away does to them. */
import assert from 'node:assert/strict';
import { after, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { UploadError } from '@cryolift/protocol/errors';
import { sql } from 'kysely';
import { type Database, pingDatabase, readTime, transact } from '../database.ts';
import { dialectOf } from '../dialect.ts';
import { insertEvent, listEvents } from '../events.ts';
import { endJob, findJob, insertJob, postponeJob, takeJob } from '../jobs.ts';
import { openPostgresDatabase } from '../open.ts';
import { writeFact } from '../server-state.ts';
import { makePostgresUrl, testPostgres } from '../test-databases.ts';
import { draftRow, insertRow } from '../test-rows.ts';
import { findUploadRow } from '../uploads/uploads.ts';
import { openPostgres } from './open.ts';
import { type Cluster, startCluster } from './test-cluster.ts';

const clusters: Cluster[] = [];
after(() => Promise.all(clusters.map((cluster) => cluster.stop())));

const isUnavailable = (error: unknown) => error instanceof UploadError && error.code === 'database_unavailable';
const event = (subject: string) => ({ id: subject, type: 't', subject, owner: 'ada', time: 1, data: '{}' });

/** Two servers on one database. */
async function openTwo(t: TestContext): Promise<[Database, Database]> {
  const url = await makePostgresUrl(t);
  const both = [await openPostgresDatabase(url, () => {}), await openPostgresDatabase(url, () => {})] as const;
  t.after(() => Promise.all(both.map((db) => db.destroy())));
  return [...both];
}

async function startDurable(): Promise<Cluster> {
  const cluster = await startCluster({ fsync: true });
  clusters.push(cluster);
  return cluster;
}

testPostgres('migrations: several servers that start at once on an empty database all succeed', async (t) => {
  const url = await makePostgresUrl(t);
  const all = await Promise.all(Array.from({ length: 4 }, () => openPostgresDatabase(url, () => {})));
  t.after(() => Promise.all(all.map((db) => db.destroy())));
  for (const db of all) await insertRow(db);
});

testPostgres('events: one that is committed late has a higher number than those that were read before', async (t) => {
  const [one, two] = await openTwo(t);
  const { promise: isRead, resolve: goOn } = Promise.withResolvers<void>();
  const { promise: isInserted, resolve: noteInserted } = Promise.withResolvers<void>();
  const late = transact(one, async (tx) => {
    await insertEvent(tx, event('late'));
    noteInserted();
    await isRead;
  });
  await isInserted;
  await transact(two, (tx) => insertEvent(tx, event('early')));
  const [early, ...more] = await listEvents(two, { owner: 'ada' }, 0, 10);
  assert.equal(early?.subject, 'early');
  assert.equal(more.length, 0);
  goOn();
  await late;
  const rest = await listEvents(two, { owner: 'ada' }, early?.seq ?? 0, 10);
  assert.deepEqual(
    rest.map(({ subject }) => subject),
    ['late'],
  );
});

testPostgres('events: readers on two servers give each event one number', async (t) => {
  const both = await openTwo(t);
  const subjects = Array.from({ length: 60 }, (_, at) => String(at));
  const reading = { done: false };
  const readers = both.map(async (db) => {
    while (!reading.done) await listEvents(db, { owner: 'ada' }, 0, 1);
  });
  await Promise.all(
    subjects.map((subject, at) => transact(both[at % 2] as Database, (tx) => insertEvent(tx, event(subject)))),
  );
  reading.done = true;
  await Promise.all(readers);
  const [one, two] = await Promise.all(both.map((db) => listEvents(db, { owner: 'ada' }, 0, 100)));
  assert.equal(one?.length, subjects.length);
  assert.deepEqual(one, two);
  assert.equal(new Set(one?.map(({ seq }) => seq)).size, subjects.length);
});

testPostgres('jobs: each is taken by one server, however many ask at once', async (t) => {
  const both = await openTwo(t);
  const [one] = both;
  for (let at = 0; at < 20; at++) {
    await insertJob(one, { id: `job-${at}`, kind: 'k', fileId: `f${at}`, owner: 'ada', nowMs: 0 });
  }
  const taken = await Promise.all(
    Array.from({ length: 30 }, (_, at) => takeJob(both[at % 2] as Database, 'k', 1, 100)),
  );
  const ids = taken.flatMap((job) => (job ? [job.id] : []));
  assert.equal(new Set(ids).size, ids.length, 'a job was taken twice');
  // One that is locked is passed over, and taken by the next who asks.
  for (let job = await takeJob(one, 'k', 1, 100); job; job = await takeJob(one, 'k', 1, 100)) ids.push(job.id);
  assert.equal(new Set(ids).size, 20);
});

testPostgres('jobs: a server that has lost its lease ends nothing', async (t) => {
  const [one, two] = await openTwo(t);
  await insertJob(one, { id: 'job', kind: 'k', fileId: 'f', owner: 'ada', nowMs: 0 });
  const first = await takeJob(one, 'k', 1, 10);
  const second = await takeJob(two, 'k', 20, 30);
  assert.ok(first && second);
  // This attempt does not count, so that the next one has the number of the first.
  await postponeJob(two, second, { runAtMs: 20, attempts: 0, outcome: null, nowMs: 20 });
  const third = await takeJob(two, 'k', 20, 30);
  assert.equal(third?.attempts, first.attempts);
  await endJob(one, first, { status: 'failed', outcome: '{}', nowMs: 21 });
  assert.equal((await findJob(two, 'f', 'k'))?.status, 'running');
});

testPostgres('transactions: one that another was in the way of is done again', async (t) => {
  const [one, two] = await openTwo(t);
  const rows = [await insertRow(one), await insertRow(one)];
  const touch = (tx: Database, id: string) =>
    tx.updateTable('uploads').set({ updated_at: 5 }).where('id', '=', id).execute();
  let attempts = 0;
  // Each locks what the other one wants next: PostgreSQL ends one of them.
  const work = (db: Database, order: string[]) =>
    transact(db, async (tx) => {
      attempts++;
      await touch(tx, order[0] as string);
      await sql`select pg_sleep(0.2)`.execute(tx);
      await touch(tx, order[1] as string);
    });
  const ids = rows.map(({ id }) => id);
  await Promise.all([work(one, ids), work(two, ids.toReversed())]);
  assert.ok(attempts > 2, 'there was no conflict');
});

testPostgres('locks: what one transaction reads under a lock, another does not change before it ends', async (t) => {
  const [one, two] = await openTwo(t);
  const order: string[] = [];
  const work = (db: Database, name: string) =>
    transact(db, async (tx) => {
      await dialectOf(tx).lock(tx, { owner: 'ada' });
      order.push(`${name} begins`);
      await sql`select pg_sleep(0.1)`.execute(tx);
      order.push(`${name} ends`);
    });
  await Promise.all([work(one, 'one'), work(two, 'two')]);
  assert.deepEqual(
    order.map((entry) => entry.split(' ')[1]),
    ['begins', 'ends', 'begins', 'ends'],
  );
});

testPostgres(
  'connections: one that was cut is replaced for a read; a transaction that was cut is unavailable',
  async (t) => {
    const [one, two] = await openTwo(t);
    const cut = () =>
      sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`.execute(two);
    const row = await insertRow(one);
    await cut();
    assert.equal((await findUploadRow(one, row.id))?.id, row.id);
    const cutOff = transact(one, async (tx) => {
      await tx.insertInto('uploads').values(draftRow()).execute();
      await cut();
      await tx.insertInto('uploads').values(draftRow()).execute();
    });
    await assert.rejects(cutOff, isUnavailable);
    assert.equal((await one.selectFrom('uploads').select('id').execute()).length, 1);
  },
);

testPostgres(
  'a database that was killed is unavailable, has lost nothing, and is used again when it is back',
  async (t) => {
    const cluster = await startDurable();
    const db = await openPostgresDatabase(cluster.url, () => {});
    t.after(() => db.destroy());
    const row = await insertRow(db);
    // Its connection is lost, and there is no other.
    const underWay = assert.rejects(sql`select pg_sleep(60)`.execute(db), isUnavailable);
    await pingDatabase(db);
    await cluster.kill();
    await underWay;
    await assert.rejects(pingDatabase(db), isUnavailable);
    await assert.rejects(insertRow(db), isUnavailable);
    await cluster.start();
    assert.equal((await findUploadRow(db, row.id))?.id, row.id);
    await insertRow(db);
  },
);

testPostgres('a database that is down at the start is unavailable, not a bug', async () => {
  await assert.rejects(
    openPostgresDatabase('postgres://127.0.0.1:1/none', () => {}),
    isUnavailable,
  );
});

testPostgres('settings: a database that forgets commits is refused', async (t) => {
  const url = new URL(await makePostgresUrl(t));
  url.searchParams.set('options', '-c synchronous_commit=off');
  await assert.rejects(
    openPostgres(url.href, () => {}),
    /synchronous_commit/,
  );
});

testPostgres('text: U+0000, which PostgreSQL has not, is not found and not stored', async (t) => {
  const [db] = await openTwo(t);
  assert.equal(await findUploadRow(db, 'a\0b'), undefined);
  await assert.rejects(
    insertRow(db, { owner: 'a\0b' }),
    (error) => error instanceof UploadError && error.code === 'invalid_request',
  );
});

testPostgres('readiness: a database that takes no writes is unavailable', async (t) => {
  const url = new URL(await makePostgresUrl(t));
  const db = await openPostgresDatabase(url.href, () => {});
  t.after(() => db.destroy());
  await pingDatabase(db);
  url.searchParams.set('options', '-c default_transaction_read_only=on');
  // As after a fail-over to a standby.
  const standby = await openPostgres(url.href, () => {});
  t.after(() => standby.destroy());
  await assert.rejects(pingDatabase(standby), isUnavailable);
});

testPostgres('events: their numbering is repeated when the connection was lost', async (t) => {
  const [one, two] = await openTwo(t);
  await transact(one, (tx) => insertEvent(tx, event('a')));
  // It waits for this transaction, and is cut off.
  const held = Promise.withResolvers<void>();
  const isLocked = Promise.withResolvers<void>();
  const other = transact(two, async (tx) => {
    await dialectOf(tx).lock(tx, 'events');
    isLocked.resolve();
    await held.promise;
  });
  await isLocked.promise;
  const reading = listEvents(one, { owner: 'ada' }, 0, 10);
  const isCut = async () => {
    const { rows } = await sql<{ cut: boolean }>`select pg_terminate_backend(pid) as cut from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock' and query like '%advisory%'`.execute(two);
    return rows.length > 0;
  };
  while (!(await isCut())) await sleep(20);
  held.resolve();
  await other;
  assert.deepEqual(
    (await reading).map(({ subject }) => subject),
    ['a'],
  );
});

testPostgres('events: a replica that took over numbers them far behind those that it has lost', async (t) => {
  const [one, two] = await openTwo(t);
  const numberOf = async (db: Database, subject: string) =>
    (await listEvents(db, { subject }, 0, 10)).map(({ seq }) => seq)[0] as number;
  await transact(one, (tx) => insertEvent(tx, event('before')));
  const before = await numberOf(one, 'before');
  await transact(one, (tx) => insertEvent(tx, event('next')));
  assert.equal(await numberOf(two, 'next'), before + 1);
  // As the replica has it: the timeline of the primary that it has followed.
  await writeFact(one, 'event_timeline', '00000000');
  for (const subject of ['after', 'later']) await transact(one, (tx) => insertEvent(tx, event(subject)));
  const after = await numberOf(two, 'after');
  assert.ok(after >= before + 1_000_000, `${after}`);
  assert.equal(await numberOf(two, 'later'), after + 1);
  assert.equal(await dialectOf(one).findLastNumber(one), after + 1);
});

testPostgres('transactions: a server that does not go on keeps its locks for less time than its leases', async (t) => {
  const [db] = await openTwo(t);
  const { rows } = await transact(db, (tx) =>
    sql<{ seconds: number }>`
      select extract(epoch from current_setting('idle_in_transaction_session_timeout')::interval)::int as seconds
    `.execute(tx),
  );
  assert.equal(rows[0]?.seconds, 15);
});

testPostgres('time: is that of the database', async (t) => {
  const [db] = await openTwo(t);
  const before = Date.now();
  const now = await readTime(db);
  assert.ok(Number.isInteger(now) && now >= before - 1 && now <= Date.now() + 1, `${now}`);
});
