/** Background work: jobs, webhook, housekeeping, scrub. */
import { randomBytes } from 'node:crypto';
import { ANALYSIS_JOB } from '../analysis-job.ts';
import type { Config } from '../config/config.ts';
import { inPlace } from '../config/places.ts';
import { CHECK_DATASET, EMPTY_DATASET, ON_DATASET_COMPLETE, PUSH, RECEIPT } from '../dataset-jobs.ts';
import type { Database } from '../db/database.ts';
import { releaseDeliveries } from '../db/deliveries.ts';
import { dialectOf } from '../db/dialect.ts';
import { releaseJobs } from '../db/jobs.ts';
import { listenForNotices } from '../db/postgres/notifications.ts';
import { WEBHOOK_SECRET } from '../db/secrets.ts';
import { RemoteChanges } from '../events/remote-changes.ts';
import { printKey, readKey } from '../events/webhook/signature.ts';
import { LONGEST_WAIT_MS, Webhook } from '../events/webhook/webhook.ts';
import { COMPRESS_JOB } from '../files/compression.ts';
import { DIGEST_JOB } from '../files/late-digest.ts';
import { Scrub } from '../files/scrub.ts';
import { analysisWork } from '../jobs/analysis.ts';
import { compressionWork } from '../jobs/compression.ts';
import { checkDatasetWork } from '../jobs/dataset-check.ts';
import { emptyDatasetWork } from '../jobs/dataset-emptying.ts';
import { digestWork } from '../jobs/digest.ts';
import { completeLibrary, indexTexts } from '../jobs/library.ts';
import { ON_COMPLETE, onCompleteWork } from '../jobs/on-complete.ts';
import { onDatasetCompleteWork } from '../jobs/on-dataset-complete.ts';
import { pushWork } from '../jobs/push.ts';
import { JobQueue } from '../jobs/queue.ts';
import { receiptWork } from '../jobs/receipt.ts';
import { RequestedSweep } from '../jobs/requested-sweep.ts';
import { Repeated } from '../jobs/schedule.ts';
import { StoredTimes } from '../jobs/stored-times.ts';
import { compare, sweep } from '../jobs/sweep.ts';
import { verifyUploads } from '../jobs/verification.ts';
import type { Leases } from '../leases/leases.ts';
import { Rounds } from '../leases/rounds.ts';
import type { AuditLog } from '../ops/audit.ts';
import type { Logger } from '../ops/log.ts';
import type { PushContext } from '../pushes/context.ts';
import type { Clock } from '../uploads/clock.ts';
import type { UploadContext } from '../uploads/context.ts';
import type { Data } from './data.ts';
import { adjustReserve, inDatabase } from './database.ts';
import { openSecret } from './secrets.ts';
import { warnOfDatabase } from './warnings.ts';

const WEBHOOK_KEY_BYTES = 32;
/** Interval of the sweep and of the re-verification. */
const SWEEP_MS = 60_000;
/** Interval of the comparison of stored files and records; it also runs at the start and with a requested sweep. */
const COMPARE_MS = 3_600_000;
/** Interval at which the texts of new files are indexed. */
const INDEX_MS = 2_000;

/** The sweep could not begin. */
const NOT_SWEPT = { expired: null, deleted: null, leftovers: null, forgotten: null };

/** Kinds of jobs that there may be. */
export const JOB_KINDS = [
  ...[ANALYSIS_JOB, COMPRESS_JOB, DIGEST_JOB, ON_COMPLETE],
  ...[CHECK_DATASET, EMPTY_DATASET, RECEIPT, ON_DATASET_COMPLETE, PUSH],
];

export interface Background {
  readonly scrub: Scrub;
  readonly requestedSweep: RequestedSweep;
  wakeJobs(): void;
  wakeWebhook(): void;
  /** Resumes the work of an earlier process. */
  start(): Promise<void>;
  /** Starts no more rounds; requests are still answered. */
  stopHousekeeping(): Promise<unknown>;
  /** To be called when no request is running. @returns the work to wait for, by name. */
  stopWork(): Record<string, Promise<unknown>>;
}

interface Means {
  readonly clock: Clock;
  readonly audit: AuditLog;
  /** Null: no other server uses the database. */
  readonly leases: Leases | null;
  readonly log: Logger;
  readonly pushes: PushContext;
}

export async function createBackground(
  config: Config,
  context: UploadContext,
  { places, db, reserve }: Data,
  { clock, audit, leases, log, pushes }: Means,
): Promise<Background> {
  const queues = createQueues(context, pushes, config);
  const webhook = await inPlace(places.data, () => createWebhook(config, context));
  const scrub = new Scrub(context, leases);
  const rounds = new Rounds(leases, log);
  const storedTimes = new StoredTimes(db, clock, config.uploadTtlMs, LONGEST_WAIT_MS);
  const wakeJobs = () => {
    for (const queue of queues) queue.wake();
  };
  const correctTimes = async () => {
    if (!(await storedTimes.correct())) return;
    wakeJobs();
    webhook?.wake();
  };
  const attempt = async (work: Promise<unknown>, failure: string) => {
    await work.catch((error: unknown) => log.error({ err: error }, failure));
  };
  const remote = leases && watchOthers(config, context, leases);
  const sweepEveryMs = Math.min(SWEEP_MS, config.uploadTtlMs);
  const sweeping = new Repeated(sweepEveryMs, async (signal) => {
    if (reserve)
      await attempt(adjustReserve(reserve, log), 'the space reserved for the database could not be allocated');
    await attempt(correctTimes(), 'stored times could not be corrected');
    const nowMs = context.isClockSettled() ? context.now() : null;
    await attempt(audit.prune(nowMs), 'old files of the audit could not be removed');
    // One that a server which died has left.
    if (leases) await attempt(scrub.resume(), 'the scrub could not be resumed');
    return await rounds.run('sweep', sweepEveryMs, signal, () => sweep(context));
  });
  const comparing = new Repeated(COMPARE_MS, (signal) =>
    rounds.run('compare', COMPARE_MS, signal, () => compare(context)),
  );
  const verifying = new Repeated(sweepEveryMs, (signal) =>
    rounds.run('verify', sweepEveryMs, signal, (either) => verifyUploads(context, either)),
  );
  const library = new Repeated(COMPARE_MS, (signal) =>
    attempt(completeLibrary(db, signal), 'the library is not complete'),
  );
  const indexing = new Repeated(INDEX_MS, (signal) =>
    attempt(indexTexts(db, signal), 'the texts of new files could not be indexed'),
  );
  return {
    scrub,
    requestedSweep: new RequestedSweep(async () => {
      for (const name of ['compare', 'verify']) rounds.request(name);
      await comparing.now();
      const swept = await rounds.doRequested('sweep', () => sweeping.now());
      void verifying.now();
      return swept ?? NOT_SWEPT;
    }, context.now),
    wakeJobs,
    wakeWebhook: () => webhook?.wake(),
    async start() {
      // Before the sweep, which may delete the events of deleted files.
      void comparing.now();
      void verifying.now();
      void library.now();
      await inDatabase(places, async () => {
        await warnOfDatabase(db, log);
        if (!dialectOf(db).isShared) await releaseAll(db, context.now());
        await storedTimes.correct();
        wakeJobs();
        await webhook?.start();
        await scrub.resume();
      });
    },
    stopHousekeeping: () =>
      Promise.all([
        ...[remote?.stop(), sweeping.stop(), comparing.stop(), verifying.stop(), scrub.stop()],
        ...[library.stop(), indexing.stop()],
      ]),
    stopWork: () => ({
      concatenations: context.concatenations.stop(),
      'verification of uploads': context.completions.settle(),
      jobs: Promise.all(queues.map((queue) => queue.stop())),
      webhook: Promise.resolve(webhook?.stop()),
    }),
  };
}

/** @returns null: no other server can use the database. */
function watchOthers(
  { database }: Config,
  context: UploadContext,
  leases: Leases,
): { stop(): Promise<unknown> } | null {
  if (database.kind !== 'postgres') return null;
  const changes = new RemoteChanges(context);
  const notifications = listenForNotices(database.url, { events: () => changes.wake(), leases: () => leases.wake() });
  return { stop: () => Promise.all([notifications.stop(), changes.stop()]) };
}

/** The lock of the folder says that the process that had these leases is dead. */
async function releaseAll(db: Database, nowMs: number): Promise<void> {
  await releaseJobs(db, nowMs);
  await releaseDeliveries(db);
}

/** Analyses share one thread, so two are no faster than one. */
function createQueues(
  context: UploadContext,
  pushes: PushContext,
  { onComplete, onDatasetComplete }: Config,
): JobQueue[] {
  const { compressor } = context.storage;
  return [
    new JobQueue(context, ANALYSIS_JOB, analysisWork(context), 1),
    ...(compressor ? [new JobQueue(context, COMPRESS_JOB, compressionWork(context, compressor), 1)] : []),
    ...(context.storage.lateDigests ? [new JobQueue(context, DIGEST_JOB, digestWork(context), 2)] : []),
    new JobQueue(context, CHECK_DATASET, checkDatasetWork(context), 1),
    new JobQueue(context, EMPTY_DATASET, emptyDatasetWork(context), 1),
    new JobQueue(context, RECEIPT, receiptWork(pushes), 1),
    new JobQueue(context, PUSH, pushWork(pushes), 2),
    ...(onDatasetComplete
      ? [new JobQueue(context, ON_DATASET_COMPLETE, onDatasetCompleteWork(context, onDatasetComplete), 2)]
      : []),
    ...(onComplete ? [new JobQueue(context, ON_COMPLETE, onCompleteWork(context, onComplete), 2)] : []),
  ];
}

/** Without a secret in the settings, the server makes one that the receiver is to be given. */
async function createWebhook({ webhook, dataDir, publicUrl }: Config, context: UploadContext): Promise<Webhook | null> {
  if (!webhook) return null;
  const secret = webhook.secret ?? (await readOrMakeWebhookSecret(context, dataDir));
  return new Webhook(context, webhook.url, readKey(secret), publicUrl ?? '/');
}

async function readOrMakeWebhookSecret({ db, log }: UploadContext, dataDir: string): Promise<string> {
  const store = openSecret(db, dataDir, WEBHOOK_SECRET);
  const place = dialectOf(db).isShared ? 'the table facts of the database' : 'the data folder';
  log.info({}, `events are signed with the secret in ${WEBHOOK_SECRET}, in ${place}`);
  for (;;) {
    const kept = await store.read();
    if (kept !== null) return kept;
    const made = printKey(randomBytes(WEBHOOK_KEY_BYTES));
    // Otherwise another server was first.
    if (await store.replace(made, null)) return made;
  }
}
