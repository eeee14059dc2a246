import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Database } from '../db/database.ts';
import { findJob, insertJob, releaseJobs, takeJob } from '../db/jobs.ts';
import type { JobRow } from '../db/tables.ts';
import { makeDatabase } from '../db/test-rows.ts';
import { type JobOutcome, JobQueue, type Work } from './queue.ts';

const KIND = 'survey';
const DONE: JobOutcome = { status: 'done', detail: { message: 'well' } };

async function makeJobs(t: TestContext, ...fileIds: string[]) {
  const db = await makeDatabase(t);
  for (const fileId of fileIds)
    await insertJob(db, { id: `job-${fileId}`, kind: KIND, fileId, owner: 'ada', nowMs: 1000 });
  const clock = { nowMs: 2000 };
  /** The calls of the meter. */
  const noted: string[] = [];
  const start = (work: Work, concurrency = 1) => {
    const context = {
      db,
      log: { warn() {}, error() {} },
      meter: { noteJob: (kind: string, outcome: string) => void noted.push(`${kind} ${outcome}`) },
      now: () => clock.nowMs,
    };
    const queue = new JobQueue(context, KIND, work, concurrency);
    t.after(() => queue.stop());
    queue.wake();
    return queue;
  };
  return { db, clock, noted, start };
}

function work(run: Work['run'], maxAttempts = 3): Work {
  return { maxAttempts, run };
}

/** Polls until the newest job of a file matches. */
async function access(db: Database, fileId: string, is: (job: JobRow) => boolean): Promise<JobRow> {
  for (;;) {
    const job = await findJob(db, fileId, KIND);
    if (job && is(job)) return job;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('jobs: owners take turns', async (t) => {
  const { db, start } = await makeJobs(t);
  const add = (owner: string, count: number) =>
    Promise.all(
      Array.from({ length: count }, (_, at) =>
        insertJob(db, { id: `${owner}-${at}`, kind: KIND, fileId: `${owner}${at}`, owner, nowMs: 1000 }),
      ),
    );
  await add('eve', 50);
  await add('ada', 3);
  await add('zoe', 1);
  const done: string[] = [];
  start(
    work(async ({ owner }) => {
      done.push(owner);
      return DONE;
    }),
  );
  while (done.length < 54) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(done.slice(0, 8), ['ada', 'eve', 'zoe', 'ada', 'eve', 'ada', 'eve', 'eve']);
});

test('jobs: run one after the other, each once, and their outcomes are stored', async (t) => {
  const { db, start } = await makeJobs(t, 'a', 'b', 'c');
  const started: string[] = [];
  let atOnce = 0;
  start(
    work(async ({ file_id }) => {
      started.push(file_id);
      assert.equal(++atOnce, 1);
      await new Promise((resolve) => setImmediate(resolve));
      atOnce--;
      return DONE;
    }),
  );
  const last = await access(db, 'c', ({ status }) => status === 'done');
  assert.deepEqual(started, ['a', 'b', 'c']);
  assert.deepEqual([last.attempts, last.outcome, last.leased_until], [1, '{"message":"well"}', null]);
});

test('jobs: exactly the allowed number runs at once', async (t) => {
  const { start } = await makeJobs(t, 'a', 'b', 'c');
  const two = Promise.withResolvers<void>();
  let running = 0;
  const queue = start(
    work(async (_, signal) => {
      if (++running === 2) two.resolve();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return { status: 'failed', detail: {} };
    }),
    2,
  );
  await two.promise;
  await queue.stop();
  assert.equal(running, 2);
});

test('jobs: a job that throws is repeated later, and fails in the end', async (t) => {
  const { db, clock, noted, start } = await makeJobs(t, 'a');
  const queue = start(work(() => Promise.reject(new Error('no luck')), 2));
  const waiting = await access(db, 'a', ({ status, attempts }) => status === 'waiting' && attempts === 1);
  assert.equal(waiting.run_at, 2000 + 5000);
  assert.equal(waiting.outcome, '{"message":"no luck"}');
  queue.wake();
  clock.nowMs = 7000;
  queue.wake();
  const failed = await access(db, 'a', ({ status }) => status === 'failed');
  assert.deepEqual([failed.attempts, failed.outcome], [2, '{"message":"no luck"}']);
  await queue.stop();
  assert.deepEqual(noted, [`${KIND} later`, `${KIND} failed`]);
});

test('jobs: a stop makes a running job wait, and the attempt does not count', async (t) => {
  const { db, noted, start } = await makeJobs(t, 'a');
  const started = Promise.withResolvers<void>();
  const queue = start(
    work(async (_, signal) => {
      started.resolve();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      throw new Error('broken off');
    }),
  );
  await started.promise;
  await queue.stop();
  const job = await findJob(db, 'a', KIND);
  assert.deepEqual([job?.status, job?.attempts, job?.outcome], ['waiting', 0, null]);
  assert.deepEqual(noted, []);
});

test('jobs: the job of a dead process is taken over after its lease, or when the death is known', async (t) => {
  const { db, clock, start } = await makeJobs(t, 'a');
  assert.ok(await takeJob(db, KIND, 2000, 62_000));
  const runs: number[] = [];
  const queue = start(
    work(async ({ attempts }) => {
      runs.push(attempts);
      return DONE;
    }),
  );
  await queue.stop();
  assert.equal(runs.length, 0);

  clock.nowMs = 3000;
  assert.equal(await releaseJobs(db, clock.nowMs), 1);
  assert.equal((await takeJob(db, KIND, 3000, 63_000))?.attempts, 2);
  clock.nowMs = 63_000;
  start(
    work(async ({ attempts }) => {
      runs.push(attempts);
      return DONE;
    }),
  );
  await access(db, 'a', ({ status }) => status === 'done');
  assert.deepEqual(runs, [3]);
});

test('jobs: a job that kills the server every time fails', async (t) => {
  const { db, start } = await makeJobs(t, 'a');
  for (let death = 0; death < 2; death++) {
    await takeJob(db, KIND, 2000, 2000);
  }
  start(
    work(() => {
      throw new Error('must not be run');
    }, 2),
  );
  const job = await access(db, 'a', ({ status }) => status === 'failed');
  assert.match(job.outcome ?? '', /stopped during every attempt/);
});

test('jobs: an attempt whose job was taken over changes nothing', async (t) => {
  const { db, start } = await makeJobs(t, 'a');
  const [started, going] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const queue = start(
    work(async () => {
      started.resolve();
      await going.promise;
      return { status: 'failed', detail: {} };
    }),
  );
  await started.promise;
  const other = await takeJob(db, KIND, 100_000, 200_000);
  assert.equal(other?.attempts, 2);
  going.resolve();
  await queue.stop();
  const job = await findJob(db, 'a', KIND);
  assert.deepEqual([job?.status, job?.attempts, job?.leased_until], ['running', 2, 200_000]);
});

test('jobs: a jump of the clock does not start a running job again', async (t) => {
  const { db, clock, start } = await makeJobs(t, 'a', 'b');
  const started: string[] = [];
  const finish = Promise.withResolvers<void>();
  const queue = start(
    work(async ({ file_id }, signal) => {
      started.push(file_id);
      if (file_id === 'a') await finish.promise;
      assert.ok(!signal.aborted);
      return DONE;
    }),
    2,
  );
  await access(db, 'b', ({ status }) => status === 'done');
  clock.nowMs += 86_400_000;
  await insertJob(db, { id: 'job-c', kind: KIND, fileId: 'c', owner: 'ada', nowMs: clock.nowMs });
  queue.wake();
  await access(db, 'c', ({ status }) => status === 'done');
  finish.resolve();
  assert.equal((await access(db, 'a', ({ status }) => status === 'done')).attempts, 1);
  assert.deepEqual(started, ['a', 'b', 'c']);
});
