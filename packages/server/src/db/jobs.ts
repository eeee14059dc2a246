/**
 * The queue of jobs on published files. A job is taken with a lease, so that a job of a dead process is taken again.
 */
import type { Database } from './database.ts';
import { dialectOf } from './dialect.ts';
import type { JobRow, JobStatus } from './tables.ts';

export interface NewJob {
  readonly id: string;
  readonly kind: string;
  readonly fileId: string;
  readonly owner: string;
  readonly nowMs: number;
}

/** For use inside the transaction of the change. */
export async function insertJob(tx: Database, job: NewJob): Promise<void> {
  await jobInsert(tx, job).execute();
}

/** The insert of a job, for a unit that has the change. */
export function jobInsert(db: Database, job: NewJob) {
  return db.insertInto('jobs').values({
    id: job.id,
    kind: job.kind,
    file_id: job.fileId,
    owner: job.owner,
    status: 'waiting',
    attempts: 0,
    fence: 0,
    run_at: job.nowMs,
    leased_until: null,
    outcome: null,
    created_at: job.nowMs,
    updated_at: job.nowMs,
  });
}

/** The newest job of a kind on a file. */
export async function findJob(db: Database, fileId: string, kind: string): Promise<JobRow | undefined> {
  return await db
    .selectFrom('jobs')
    .selectAll()
    .where('file_id', '=', fileId)
    .where('kind', '=', kind)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** In the order in which they were made. */
export async function listJobs(db: Database, fileId: string): Promise<JobRow[]> {
  return await db.selectFrom('jobs').selectAll().where('file_id', '=', fileId).orderBy('id').execute();
}

/**
 * Takes a job that is due: one with an expired lease, otherwise the oldest one of the owner whose turn it is. Owners
 * take turns in the order of their names, so that one with many jobs does not hold up the others.
 *
 * @param turn `after`: the owner of the job that was taken before. `except`: ids of jobs that this process is running,
 *   regardless of the clock and their leases.
 * @returns it with this attempt counted; undefined when none is due.
 */
export async function takeJob(
  db: Database,
  kind: string,
  nowMs: number,
  leasedUntilMs: number,
  { after = '', except = [] }: { after?: string; except?: readonly string[] } = {},
): Promise<JobRow | undefined> {
  const ofKind = () => {
    let select = db.selectFrom('jobs').select('id').where('kind', '=', kind);
    // Not every database takes a list of nothing.
    if (except.length > 0) select = select.where('id', 'not in', except);
    return dialectOf(db).skipLocked(select.limit(1));
  };
  const abandoned = ofKind().where('status', '=', 'running').where('leased_until', '<=', nowMs).orderBy('leased_until');
  const waiting = ofKind()
    .where('status', '=', 'waiting')
    .where('run_at', '<=', nowMs)
    .orderBy('owner')
    .orderBy('run_at')
    .orderBy('id');
  return await db
    .updateTable('jobs')
    .set(({ eb }) => ({
      status: 'running' as JobStatus,
      attempts: eb('attempts', '+', 1),
      fence: eb('fence', '+', 1),
      leased_until: leasedUntilMs,
      updated_at: nowMs,
    }))
    .where(({ eb, fn }) => eb('id', '=', fn.coalesce(abandoned, waiting.where('owner', '>', after), waiting)))
    .returningAll()
    .executeTakeFirst();
}

/** @returns false when another process has taken the job over: the result of this attempt is ignored. */
export async function extendLease(db: Database, job: JobRow, leasedUntilMs: number): Promise<boolean> {
  const extended = await own(db, job).set({ leased_until: leasedUntilMs }).executeTakeFirst();
  return extended.numUpdatedRows > 0n;
}

/** The job has ended. */
export async function endJob(
  db: Database,
  job: JobRow,
  end: { status: 'done' | 'failed'; outcome: string; nowMs: number },
): Promise<void> {
  await own(db, job)
    .set({ status: end.status, outcome: end.outcome, leased_until: null, updated_at: end.nowMs })
    .execute();
}

/** What the waiting jobs of a kind on a file would do was done in another way. For use inside a transaction. */
export async function endJobsOf(tx: Database, fileId: string, kind: string, nowMs: number): Promise<void> {
  await tx
    .updateTable('jobs')
    .set({ status: 'done', leased_until: null, updated_at: nowMs })
    .where('file_id', '=', fileId)
    .where('kind', '=', kind)
    .where('status', 'in', ['waiting', 'running'])
    .execute();
}

/** Makes it wait again. `attempts` is the number of counted attempts. */
export async function postponeJob(
  db: Database,
  job: JobRow,
  later: { runAtMs: number; attempts: number; outcome: string | null; nowMs: number },
): Promise<void> {
  const { runAtMs, attempts, outcome, nowMs } = later;
  await own(db, job)
    .set({ status: 'waiting', run_at: runAtMs, attempts, outcome, leased_until: null, updated_at: nowMs })
    .execute();
}

/** Makes the running jobs of a dead process due at once. @returns their number. */
export async function releaseJobs(db: Database, nowMs: number): Promise<number> {
  const released = await db
    .updateTable('jobs')
    .set({ leased_until: nowMs })
    .where('status', '=', 'running')
    .executeTakeFirst();
  return Number(released.numUpdatedRows);
}

/** When the next one of a kind is due, in ms since 1970; null when there is nothing to do. */
export async function findNextJobTime(db: Database, kind: string): Promise<number | null> {
  const { next } = await db
    .selectFrom('jobs')
    .select(({ fn }) => fn.min(fn.coalesce('leased_until', 'run_at')).as('next'))
    .where('kind', '=', kind)
    .where('status', 'in', ['waiting', 'running'])
    .executeTakeFirstOrThrow();
  return next;
}

/** Jobs that are not done. */
export async function countOpenJobs(db: Database): Promise<Record<'waiting' | 'running', number>> {
  const rows = await db
    .selectFrom('jobs')
    .select(({ fn }) => ['status', fn.countAll<number>().as('count')])
    .where('status', 'in', ['waiting', 'running'])
    .groupBy('status')
    .execute();
  return { waiting: 0, running: 0, ...Object.fromEntries(rows.map(({ status, count }) => [status, count])) };
}

/** The job, as long as no other server has taken it since. */
function own(db: Database, job: JobRow) {
  return db.updateTable('jobs').where('id', '=', job.id).where('status', '=', 'running').where('fence', '=', job.fence);
}
