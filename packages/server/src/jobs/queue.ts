/** Runs the jobs of one kind, a few at a time. */
import type { Database } from '../db/database.ts';
import { endJob, extendLease, findNextJobTime, postponeJob, takeJob } from '../db/jobs.ts';
import type { JobRow } from '../db/tables.ts';
import { betweenSteps } from '../durable-step.ts';
import { Poller } from '../poller.ts';
import type { UploadMeter } from '../uploads/parts/meter.ts';

const LEASE_MS = 60_000;
const EXTEND_MS = 20_000;
/** The next attempt waits 5 s, 20 s, 80 s … */
const FIRST_DELAY_MS = 5_000;
const DELAY_GROWTH = 4;
const MAX_DELAY_MS = 3_600_000;
/** The longest interval between two polls. */
const POLL_MS = 60_000;

/** The outcome of an attempt, which is shown to callers with access to the file. */
export type JobOutcome =
  | { status: 'done' | 'failed'; detail: Record<string, unknown> }
  /** No error, but the job must be repeated later; without `afterMs`, ever later. */
  | { status: 'later'; detail: Record<string, unknown>; afterMs?: number };

export interface Work {
  /** Attempts that end with an error, or with the death of the process, before the job counts as failed. */
  readonly maxAttempts: number;
  /** @throws any error: repeated later. After `signal` it should end soon; the attempt will not count. */
  run(job: JobRow, signal: AbortSignal): Promise<JobOutcome>;
}

interface QueueContext {
  readonly db: Database;
  readonly log: Record<'warn' | 'error', (fields: Record<string, unknown>, message: string) => void>;
  readonly meter: Pick<UploadMeter, 'noteJob'>;
  now(): number;
}

export class JobQueue {
  readonly #context: QueueContext;
  readonly #kind: string;
  readonly #work: Work;
  readonly #concurrency: number;
  /** By the ids of the jobs. */
  readonly #running = new Map<string, Promise<void>>();
  readonly #poller = new Poller({
    poll: () => this.#fill(),
    nextMs: () => this.#findNextMs(),
    onError: (error) => this.#context.log.error({ kind: this.#kind, err: error }, 'the job queue could not be read'),
    shortestMs: 1_000,
    longestMs: POLL_MS,
  });
  /** Owners take turns. */
  #lastOwner = '';

  constructor(context: QueueContext, kind: string, work: Work, concurrency: number) {
    this.#context = context;
    this.#kind = kind;
    this.#work = work;
    this.#concurrency = concurrency;
  }

  /** Polls for due jobs. */
  wake(): void {
    this.#poller.wake();
  }

  /** Running jobs are interrupted and wait for the next start. Resolves when none is running. */
  async stop(): Promise<void> {
    await this.#poller.stop();
    await Promise.all(this.#running.values());
  }

  async #fill(): Promise<void> {
    const { db, now } = this.#context;
    while (this.#running.size < this.#concurrency && !this.#poller.signal.aborted) {
      const turn = { after: this.#lastOwner, except: [...this.#running.keys()] };
      const job = await takeJob(db, this.#kind, now(), now() + LEASE_MS, turn);
      if (!job) return;
      this.#lastOwner = job.owner;
      const running = this.#run(job).finally(() => {
        this.#running.delete(job.id);
        this.wake();
      });
      this.#running.set(job.id, running);
    }
  }

  async #findNextMs(): Promise<number | null> {
    const next = await findNextJobTime(this.#context.db, this.#kind);
    return next === null ? null : next - this.#context.now();
  }

  async #run(job: JobRow): Promise<void> {
    const lost = new AbortController();
    const startedMs = performance.now();
    const extending = setInterval(() => void this.#extend(job, lost), EXTEND_MS);
    try {
      const outcome = await this.#attempt(job, AbortSignal.any([this.#poller.signal, lost.signal]));
      betweenSteps('job.ended');
      const end = await this.#conclude(job, outcome);
      if (end) this.#context.meter.noteJob(this.#kind, end, (performance.now() - startedMs) / 1000);
    } catch (error) {
      // After its lease has expired it is taken again.
      this.#context.log.error({ job_id: job.id, err: error }, 'the end of a job could not be recorded');
    } finally {
      clearInterval(extending);
    }
  }

  async #attempt(job: JobRow, signal: AbortSignal): Promise<JobOutcome | null> {
    if (job.attempts > this.#work.maxAttempts) {
      return { status: 'failed', detail: { message: 'The server stopped during every attempt of this job.' } };
    }
    try {
      const outcome = await this.#work.run(job, signal);
      return signal.aborted && outcome.status !== 'done' ? null : outcome;
    } catch (error) {
      if (signal.aborted) return null;
      const { kind, id: job_id, file_id, attempts } = job;
      const isLast = attempts >= this.#work.maxAttempts;
      this.#context.log[isLast ? 'error' : 'warn']({ kind, job_id, file_id, attempts, err: error }, 'a job failed');
      return { status: isLast ? 'failed' : 'later', detail: { message: (error as Error).message } };
    }
  }

  /** @param outcome null: interrupted, the attempt does not count. @returns the recorded state. */
  async #conclude(job: JobRow, outcome: JobOutcome | null): Promise<JobOutcome['status'] | null> {
    const { db, now } = this.#context;
    const nowMs = now();
    if (outcome === null) {
      await postponeJob(db, job, { runAtMs: nowMs, attempts: job.attempts - 1, outcome: job.outcome, nowMs });
      return null;
    }
    const detail = JSON.stringify(outcome.detail);
    if (outcome.status === 'later' && job.attempts < this.#work.maxAttempts) {
      const grownMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * DELAY_GROWTH ** (job.attempts - 1));
      const delayMs = outcome.afterMs ?? grownMs;
      await postponeJob(db, job, { runAtMs: nowMs + delayMs, attempts: job.attempts, outcome: detail, nowMs });
      return 'later';
    }
    const status = outcome.status === 'done' ? 'done' : 'failed';
    await endJob(db, job, { status, outcome: detail, nowMs });
    return status;
  }

  async #extend(job: JobRow, lost: AbortController): Promise<void> {
    const { db, now, log } = this.#context;
    try {
      if (!(await extendLease(db, job, now() + LEASE_MS))) lost.abort();
    } catch (error) {
      log.error({ job_id: job.id, err: error }, 'the lease of a job could not be extended');
    }
  }
}
