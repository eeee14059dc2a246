import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Database } from '../db/database.ts';
import { findNewestSeq, insertEvent } from '../db/events.ts';
import { findJob, insertJob, postponeJob, takeJob } from '../db/jobs.ts';
import { draftRow, makeDatabase } from '../db/test-rows.ts';
import { Clock } from '../uploads/clock.ts';
import { makeUploads } from '../uploads/test-uploads.ts';
import { StoredTimes } from './stored-times.ts';
import { sweep } from './sweep.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const TTL_MS = 7 * DAY_MS;
/** The correct time at the start of a test. */
const BEGIN_MS = 1_000 * DAY_MS;

/** Stored times with a test clock: `pass` advances time, `set` changes the wall clock. */
function makeTimes(db: Database) {
  let [wallMs, steadyMs] = [BEGIN_MS, 0];
  const clock = new Clock(
    TTL_MS,
    () => {},
    () => wallMs,
    () => steadyMs,
  );
  const times = new StoredTimes(db, clock, TTL_MS, HOUR_MS);
  const pass = (ms: number) => {
    wallMs += ms;
    steadyMs += ms;
  };
  const set = (ms: number) => {
    wallMs = ms;
  };
  return { times, clock, pass, set };
}

async function insertPostponedJob(db: Database, fileId: string, nowMs: number, delayMs: number): Promise<void> {
  await insertJob(db, { id: `job-${fileId}`, kind: fileId, fileId, owner: 'ada', nowMs });
  const job = await takeJob(db, fileId, nowMs, nowMs + 60_000);
  assert.equal(job?.file_id, fileId);
  await postponeJob(db, job, { runAtMs: nowMs + delayMs, attempts: 1, outcome: null, nowMs });
}

async function insertDelivery(db: Database, seq: number, nowMs: number, waitMs: number): Promise<void> {
  const ids = { seq, upload_id: `upload-${seq}`, owner: 'ada' };
  const state = { event: '{}', attempts: 1, trouble: null, status: 'waiting' as const };
  await db
    .insertInto('deliveries')
    .values({ ...ids, ...state, created_at: nowMs, next_at: nowMs + waitMs })
    .execute();
}

const dueTimes = async (db: Database) => [
  ...['right', 'ahead'].map(async (fileId) => (await findJob(db, fileId, fileId))?.run_at),
  ...(await db.selectFrom('deliveries').select(['created_at', 'next_at']).orderBy('seq').execute()).flatMap((row) => [
    row.created_at,
    row.next_at,
  ]),
];

async function fillDueTimes(db: Database, rightMs: number, aheadMs: number): Promise<void> {
  await insertPostponedJob(db, 'right', rightMs, 5_000);
  await insertPostponedJob(db, 'ahead', aheadMs, 5_000);
  await insertDelivery(db, 1, rightMs, 5_000);
  await insertDelivery(db, 2, aheadMs, 5_000);
  // Created at the correct time, and tried while the clock was ahead.
  await insertDelivery(db, 3, rightMs, aheadMs - rightMs);
}

test('stored times: work postponed by a clock that was ahead is due at once after the correction', async (t) => {
  const db = await makeDatabase(t);
  const { times, pass, set } = makeTimes(db);
  await times.correct();
  await fillDueTimes(db, BEGIN_MS, BEGIN_MS + 3 * HOUR_MS);
  set(BEGIN_MS + 3 * HOUR_MS);
  await times.correct();
  set(BEGIN_MS);
  pass(1_000);
  assert.equal(await times.correct(), true);
  const nowMs = BEGIN_MS + 1_000;
  assert.deepEqual(await Promise.all(await dueTimes(db)), [
    ...[BEGIN_MS + 5_000, nowMs],
    ...[BEGIN_MS, BEGIN_MS + 5_000, nowMs, nowMs, BEGIN_MS, nowMs],
  ]);
  assert.equal(await times.correct(), false);
});

test('stored times: a clock that is set right while the server is down', async (t) => {
  const db = await makeDatabase(t);
  await fillDueTimes(db, BEGIN_MS, BEGIN_MS + 3 * HOUR_MS);
  assert.equal(await makeTimes(db).times.correct(), true);
  const [, ahead] = await Promise.all(await dueTimes(db));
  assert.equal(ahead, BEGIN_MS);
});

/** A context with the clock of `makeTimes`. */
async function makeSweptUploads(t: TestContext) {
  const context = await makeUploads(t);
  const { times, clock, ...hands } = makeTimes(context.db);
  const policy = { ...context.policy, uploadTtlMs: TTL_MS };
  Object.assign(context, { now: clock.now, isClockSettled: clock.isSettled, policy });
  const round = async () => {
    await times.correct();
    await sweep(context);
  };
  return { context, round, ...hands };
}

test('stored times: events and uploads of a clock that was ahead are deleted after the same time as others', async (t) => {
  const { context, round, pass, set } = await makeSweptUploads(t);
  const { db } = context;
  const aheadMs = BEGIN_MS + 300 * DAY_MS;
  set(aheadMs);
  await insertEvent(db, { id: 'e', type: 't', subject: 's', owner: 'ada', time: aheadMs, data: '{}' });
  const times = { created_at: aheadMs, updated_at: aheadMs, expires_at: aheadMs + TTL_MS };
  await db
    .insertInto('uploads')
    .values([
      draftRow({ id: 'open', ...times }),
      draftRow({ id: 'ended', status: 'cancelled', ...times }),
      // Its time is that of a longer lifetime, which was set when it was emitted.
      draftRow({ id: 'right', created_at: BEGIN_MS, updated_at: BEGIN_MS, expires_at: BEGIN_MS + 2 * TTL_MS }),
    ])
    .execute();
  set(BEGIN_MS);
  const states = async () =>
    Object.fromEntries(
      (await db.selectFrom('uploads').select(['id', 'status']).execute()).map(({ id, status }) => [id, status]),
    );
  for (let hours = 0; hours < 24; hours++) {
    await round();
    pass(HOUR_MS);
  }
  assert.deepEqual(await states(), { open: 'pending', ended: 'cancelled', right: 'pending' });
  pass(TTL_MS);
  await round();
  assert.deepEqual(await states(), { open: 'expired', right: 'pending' });
  assert.deepEqual(
    (await db.selectFrom('events').select('id').where('id', '=', 'e').execute()).map(({ id }) => id),
    [],
  );
  assert.ok((await findNewestSeq(db)) > 0, 'that the upload expired is an event of now');
  pass(TTL_MS);
  await round();
  assert.equal((await states()).right, 'expired');
});

test('stored times: a short error of the clock makes nothing old', async (t) => {
  const { context, round, pass, set } = await makeSweptUploads(t);
  const { db } = context;
  pass(HOUR_MS);
  const nowMs = BEGIN_MS + HOUR_MS;
  await insertEvent(db, { id: 'e', type: 't', subject: 's', owner: 'ada', time: nowMs, data: '{}' });
  const times = { created_at: nowMs, updated_at: nowMs, expires_at: nowMs + TTL_MS };
  await db
    .insertInto('uploads')
    .values([draftRow({ id: 'open', ...times })])
    .execute();
  // As after a start without a clock battery, before network time.
  set(0);
  await round();
  pass(HOUR_MS / 2);
  await round();
  set(nowMs + HOUR_MS / 2);
  for (let hours = 0; hours < 3; hours++) {
    await round();
    pass(HOUR_MS);
  }
  const { status, expires_at } = await db.selectFrom('uploads').selectAll().executeTakeFirstOrThrow();
  assert.deepEqual([status, expires_at], ['pending', nowMs + TTL_MS]);
  assert.equal((await db.selectFrom('events').selectAll().executeTakeFirstOrThrow()).time, nowMs);
});
