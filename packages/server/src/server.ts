/** The composition root: settings in, a running server out. */
import { randomBytes, X509Certificate } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { isMrcName, MRC_EXTENSIONS } from '@cryolift/mrc';
import type { Limits } from '@cryolift/protocol/messages';
import { MAX_PART_COUNT } from '@cryolift/protocol/plan';
import { monotonicFactory } from 'ulid';
import { Previews } from './analysis/previews.ts';
import {
  type Config,
  hasKey,
  MAX_PART_SIZE_BYTES,
  MIN_PART_SIZE_BYTES,
  readTls,
  SettingError,
} from './config/config.ts';
import { inPlace, lockPlaces, placesOf } from './config/places.ts';
import { openSecretFile, readOrMakeSecret, type SecretFile } from './config/secret.ts';
import { type Database, openDatabase, pingDatabase } from './db/database.ts';
import { countDeliveries } from './db/deliveries.ts';
import { countOpenJobs, releaseJobs } from './db/jobs.ts';
import { Reserve } from './db/reserve.ts';
import { noteBoot } from './db/server-state.ts';
import { countStaged } from './db/sessions.ts';
import { Bus } from './events/bus.ts';
import { Pace } from './events/pace.ts';
import { Streams } from './events/streams.ts';
import { printKey, readKey } from './events/webhook/signature.ts';
import { LONGEST_WAIT_MS, Webhook } from './events/webhook/webhook.ts';
import { Scrub } from './files/scrub.ts';
import { UpdateLimit } from './files/update-limit.ts';
import { buildApp } from './http/app.ts';
import { SigningKeys } from './http/auth/signing-keys.ts';
import { createAuthenticator } from './http/auth/tokens.ts';
import { ConnectionLimiter } from './http/connection/connection-limiter.ts';
import { FastPathServer } from './http/connection/fast-path/server.ts';
import { worksHere } from './http/connection/fast-path/socket.ts';
import { Listeners } from './http/connection/listener.ts';
import { ANALYSIS, analysisWork } from './jobs/analysis.ts';
import { RequestedSweep } from './jobs/asked-sweep.ts';
import { Deadline } from './jobs/deadline.ts';
import { ON_COMPLETE, onCompleteWork } from './jobs/on-complete.ts';
import { JobQueue } from './jobs/queue.ts';
import { Repeated } from './jobs/schedule.ts';
import { StoredTimes } from './jobs/stored-times.ts';
import { compare, sweep } from './jobs/sweep.ts';
import { verifyUploads } from './jobs/verification.ts';
import { AuditLog } from './ops/audit.ts';
import type { Logger } from './ops/log.ts';
import { createMetrics, type Metrics } from './ops/metrics.ts';
import { Traces } from './ops/traces.ts';
import { readBootId } from './storage/disk/boot-id.ts';
import { Digester } from './storage/disk/digester.ts';
import { DiskStore } from './storage/disk/disk-storage.ts';
import { Writers } from './storage/disk/writers.ts';
import { explainFailure } from './storage/errors.ts';
import type { PartStore } from './storage/storage.ts';
import { Clock } from './uploads/clock.ts';
import { Completions } from './uploads/completion.ts';
import type { UploadContext } from './uploads/context.ts';
import { ContiguousPrefixes } from './uploads/contiguous-prefix.ts';
import { DoubtfulUploads } from './uploads/doubtful-uploads.ts';
import { PartAttempts } from './uploads/part-attempts.ts';
import { Reverifications } from './uploads/reverification.ts';
import { readUpload } from './uploads/upload-record.ts';
import { VerifiedParts } from './uploads/verified-parts.ts';
import { VERSION } from './version.ts';

/** Receive memory: 16 slots of 1 MiB. */
const SLOTS = 16;
const HS256_KEY_BYTES = 32;
const WEBHOOK_SECRET_FILE = 'webhook-secret';
const WEBHOOK_KEY_BYTES = 32;
/** Then the audit begins a new file. */
const AUDIT_FILE_BYTES = 64 * 1024 * 1024;
/** How often expired sessions are looked for, and uploads that are to be verified, at most. */
const SWEEP_MS = 60_000;
/** What a stop closes at its end may take so long. */
const CLOSE_MS = 5_000;
/** How often all stored files are compared with their records; also at the start, and with a sweep that is asked for. */
const COMPARE_MS = 3_600_000;
/** Common proxies give up on a connection that is silent for 60 s, some for 30. */
const HEARTBEAT_MS = 15_000;

export interface RunningServer {
  /** Where it listens. */
  readonly url: string;
  /** Set when the server made its own secret: what a token is signed with. */
  readonly ownSecret: string | null;
  /** Reads the certificate again, for new connections; one that does not work is logged and not taken. Null without TLS. */
  readonly renewCertificate: (() => void) | null;
  /**
   * No new connections. What is under way, requests and all other work, gets up to `graceMs` together; then all is closed,
   * which takes up to 5 s. After work that has not ended, the folders stay locked until the process ends.
   */
  stop(graceMs: number): Promise<void>;
}

/**
 * @param lostLogLines how many lines of the log could not be written.
 * @throws SettingError when the settings cannot be served: an address in use, a data folder that another server has.
 */
export async function startServer(config: Config, log: Logger, lostLogLines = () => 0): Promise<RunningServer> {
  const places = placesOf(config);
  const unlock = await lockPlaces(places);
  const ownSecret = hasKey(config.jwt) ? null : await inPlace(places.data, () => readOrMakeSecret(config.dataDir));

  if (config.jwt.secret !== null && Buffer.byteLength(config.jwt.secret) < HS256_KEY_BYTES) {
    log.warn(`CRYOLIFT_JWT_SECRET is short: RFC 7518 asks for ${HS256_KEY_BYTES} bytes or more`);
  }
  if (config.jwt.oidcIssuer !== null && config.jwt.audience === null) {
    log.warn(
      'CRYOLIFT_JWT_AUDIENCE is not set: tokens that the identity provider made for other services are taken, too',
    );
  }
  if (config.trustProxy !== 0 && config.publicUrl === null) {
    log.warn(
      'CRYOLIFT_PUBLIC_URL is not set: behind a proxy, the URLs of signed calls and upload links name the host that a request names',
    );
  }
  const reserve = new Reserve(config.databasePath);
  const adjustReserve = async () => {
    if ((await reserve.adjust()) === 'given up') log.warn('the disk is full: the space kept for the database is used');
  };
  await inPlace(places.database, adjustReserve);
  const { db, marked } = await inPlace(places.database, async () => {
    const open = () => openAfterBoot(config.databasePath);
    // A quota, too, may leave nothing.
    return await open().catch(async (error: unknown) => {
      if (!(await reserve.giveUp())) throw error;
      return await open();
    });
  });
  if (marked > 0) log.warn({ uploads: marked }, 'the system was restarted: stored parts are verified again');
  const threads = Math.min(8, Math.max(2, availableParallelism()));
  const onLost = (uploadId: string) => context.doubtful.note(context, uploadId);
  const store = await inPlace(places.storage, () =>
    DiskStore.open(config.storageDir, new Writers(threads, SLOTS), new Digester(), onLost),
  );
  const queues: JobQueue[] = [];
  const traces = config.otlpUrl === null ? null : new Traces(config.otlpUrl, VERSION, log);
  const streams = new Streams();
  const metrics = createMetrics(
    {
      partsUnderWay: () => context.attempts.count,
      digestLagBytes: () => store.digestLagBytes(),
      eventStreams: () => streams.count,
      sessions: () => countStaged(db),
      jobs: () => countOpenJobs(db),
      deliveries: () => countDeliveries(db),
      storage: () => store.space(),
      scrubFaults: () => scrub.countFaults(),
      lostLogLines,
    },
    [ANALYSIS, ON_COMPLETE],
  );
  const clock = new Clock(config.uploadTtlMs, (byMs) =>
    log.warn({ by_seconds: Math.round(byMs / 1000) }, 'the clock has jumped: nothing expires for a while'),
  );
  const storedTimes = new StoredTimes(db, clock, config.uploadTtlMs, LONGEST_WAIT_MS);
  const context = createUploadContext(config, db, store, log, metrics, clock, () => {
    for (const queue of queues) queue.wake();
  });
  queues.push(...makeQueues(context, config));

  const webhook = await inPlace(places.data, () => makeWebhook(config, context));
  const auditBounds = { ...config.audit, maxFileBytes: AUDIT_FILE_BYTES };
  const audit = new AuditLog(join(config.dataDir, 'audit'), auditBounds, (file) =>
    log.warn({ file }, 'a file of the audit was removed: it was too old, or there was too much'),
  );
  const scrub = new Scrub(context);
  const correctTimes = async () => {
    if (!(await storedTimes.correct())) return;
    context.fileJobs.wake();
    webhook?.wake();
  };
  const sweepEveryMs = Math.min(SWEEP_MS, config.uploadTtlMs);
  const sweeping = new Repeated(sweepEveryMs, async () => {
    await adjustReserve().catch((error: unknown) => log.error({ err: error }, 'no space is kept for the database'));
    await correctTimes().catch((error: unknown) => log.error({ err: error }, 'stored times are not corrected'));
    await audit
      .prune(context.isClockSettled() ? context.now() : null)
      .catch((error: unknown) => log.error({ err: error }, 'what is too old in the audit could not be removed'));
    return await sweep(context);
  });
  const comparing = new Repeated(COMPARE_MS, () => compare(context));
  const verifying = new Repeated(sweepEveryMs, (signal) => verifyUploads(context, signal));
  const requestedSweep = new RequestedSweep(async () => {
    await comparing.now();
    const swept = await sweeping.now();
    void verifying.now();
    return swept;
  }, context.now);
  // Behind a proxy all come from one address: the proxy is the one to count them.
  const limiter = new ConnectionLimiter(
    config.trustProxy === 0 ? config.connectionsPerAddress : Number.POSITIVE_INFINITY,
  );
  const listeners = new Listeners(config.tls, limiter, config.bodyIdleTimeoutMs);
  let stopping = false;
  const app = await buildApp(
    {
      uploads: context,
      previews: new Previews(store),
      events: {
        db,
        bus: context.bus,
        now: context.now,
        newId: context.newId,
        pace: new Pace(),
        source: config.publicUrl ?? '/',
        heartbeatMs: HEARTBEAT_MS,
        readUpload: (id) => readUpload(db, id),
      },
      streams,
      audit,
      scrub,
      sweep: requestedSweep,
      wakeWebhook: () => webhook?.wake(),
      signingKeys: new SigningKeys(explainFile(openSecretFile(config.dataDir, 'signing-keys')), context.now),
      authenticate: createAuthenticator({ ...config.jwt, secret: config.jwt.secret ?? ownSecret }, log),
      tokenSecret: config.jwt.secret ?? ownSecret,
      metrics,
      traces,
      log,
      limits: describeLimits(config),
      version: VERSION,
      async checkReady() {
        await store.space();
        await pingDatabase(db);
      },
      options: { ...config, serveMetrics: config.metrics },
    },
    listeners,
    () => stopping,
  );

  // First: a sweep may forget which files were deleted.
  void comparing.now();
  void verifying.now();
  // The lock of the folder says that whoever had them is dead.
  await inPlace(places.database, async () => {
    await releaseJobs(db, context.now());
    await storedTimes.correct();
    context.fileJobs.wake();
    await webhook?.start();
    await scrub.resume();
  });
  const { host } = config;
  const fastPath = (await usesFastPath(config, log)) ? new FastPathServer(app.server, limiter) : null;
  await (fastPath ?? app).listen({ host, port: config.port }).catch((error: NodeJS.ErrnoException) => {
    throw new SettingError(`CRYOLIFT_PORT: cannot listen on ${host}:${config.port} (${error.code})`);
  });
  const { port } = (fastPath ?? app.server).address() as AddressInfo;

  return {
    url: `${config.tls ? 'https' : 'http'}://${printHost(host)}:${port}`,
    ownSecret,
    renewCertificate: config.tls && certificateRenewal(config.tls, listeners, log),
    async stop(graceMs) {
      stopping = true;
      streams.endAll();
      const [grace, end] = [new Deadline(graceMs, log), new Deadline(graceMs + CLOSE_MS, log)];
      const background = [sweeping.stop(), comparing.stop(), verifying.stop(), scrub.stop()];
      const cut = setTimeout(() => (fastPath ?? app.server).closeAllConnections(), graceMs);
      await end.wait(
        'connections',
        Promise.resolve(fastPath?.close()).then(() => app.close()),
      );
      clearTimeout(cut);
      await Promise.all([
        grace.wait('housekeeping', Promise.all(background)),
        grace.wait('verification of uploads', context.completions.settle()),
        grace.wait('jobs', Promise.all(queues.map((queue) => queue.stop()))),
        grace.wait('webhook', Promise.resolve(webhook?.stop())),
        grace.wait('traces', Promise.resolve(traces?.close())),
      ]);
      context.doubtful.stop(context);
      await end.wait('storage', store.close());
      await end.wait('audit', audit.close());
      await end.wait('database', db.destroy());
      // What still works on the folders does so until the process ends.
      if (!grace.isKept || !end.isKept) return;
      await reserve
        .takeBack()
        .catch((error: unknown) => log.error({ err: error }, 'no space is kept for the database'));
      unlock();
    },
  };
}

function certificateRenewal(tls: NonNullable<Config['tls']>, listeners: Listeners, log: Logger): () => void {
  return () => {
    try {
      const renewed = readTls(tls);
      listeners.renew(renewed);
      log.info({ valid_to: new X509Certificate(renewed.cert).validToDate.toISOString() }, 'certificate renewed');
    } catch (error) {
      log.error(`the certificate is not renewed, the old one stays: ${(error as Error).message}`);
    }
  };
}

/** TLS is the ordinary lane's: its bytes are not in the socket as they are. */
async function usesFastPath(config: Config, log: Logger): Promise<boolean> {
  if (!config.fastPath || config.tls) return false;
  if (await worksHere()) return true;
  log.warn(`this version of Node (${process.version}) does not support the fast path; parts take the standard path`);
  return false;
}

async function openAfterBoot(databasePath: string): Promise<{ db: Database; marked: number }> {
  const db = await openDatabase(databasePath);
  try {
    return { db, marked: await noteBoot(db, readBootId()) };
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

/** A secret file that is used while requests are answered: a disk that fails is `storage_unavailable`. */
function explainFile({ read, replace }: SecretFile): SecretFile {
  const fail = (error: unknown): never => {
    throw explainFailure(error);
  };
  return { read: () => read().catch(fail), replace: (text) => replace(text).catch(fail) };
}

/** Without a secret of the administrator's, the data folder has one for the receiver to be given. */
async function makeWebhook({ webhook, dataDir, publicUrl }: Config, context: UploadContext): Promise<Webhook | null> {
  if (!webhook) return null;
  const file = openSecretFile(dataDir, WEBHOOK_SECRET_FILE);
  let secret = webhook.secret ?? (await file.read());
  if (secret === null) {
    secret = printKey(randomBytes(WEBHOOK_KEY_BYTES));
    await file.replace(secret);
  }
  if (webhook.secret === null)
    context.log.info({}, `events are signed with the secret in ${WEBHOOK_SECRET_FILE}, in the data folder`);
  return new Webhook(context, webhook.url, readKey(secret), publicUrl ?? '/');
}

/** Surveys share one thread, so two are no faster than one; commands are whatever the administrator makes them. */
function makeQueues(context: UploadContext, { onComplete }: Config): JobQueue[] {
  const analyses = new JobQueue(context, ANALYSIS, analysisWork(context), 1);
  return onComplete
    ? [analyses, new JobQueue(context, ON_COMPLETE, onCompleteWork(context, onComplete), 2)]
    : [analyses];
}

function createUploadContext(
  config: Config,
  db: Database,
  store: PartStore,
  log: Logger,
  meter: Metrics,
  clock: Clock,
  wakeJobs: () => void,
): UploadContext {
  const verified = new VerifiedParts();
  return {
    db,
    store,
    policy: {
      parts: {
        partSizeBytes: config.partSizeBytes,
        minPartSizeBytes: MIN_PART_SIZE_BYTES,
        maxPartSizeBytes: MAX_PART_SIZE_BYTES,
      },
      maxFileSizeBytes: config.maxFileSizeBytes,
      uploadTtlMs: config.uploadTtlMs,
      quotaBytes: config.quotaBytes,
      maxOpenUploads: config.maxOpenUploads,
      maxFiles: config.maxFiles,
      maxLinkMs: config.maxLinkMs,
      acceptedTypes: config.acceptedTypes,
    },
    bus: new Bus(),
    attempts: new PartAttempts(),
    prefixes: new ContiguousPrefixes(db, store, verified),
    verified,
    doubtful: new DoubtfulUploads(),
    completions: new Completions(),
    reverifications: new Reverifications(),
    updateLimit: new UpdateLimit(),
    fileJobs: {
      kindsFor: (filename) => [...(isMrcName(filename) ? [ANALYSIS] : []), ...(config.onComplete ? [ON_COMPLETE] : [])],
      wake: wakeJobs,
    },
    log,
    meter,
    now: clock.now,
    isClockSettled: clock.isSettled,
    newId: monotonicFactory(),
  };
}

function describeLimits(config: Config): Limits {
  return {
    max_file_size: config.maxFileSizeBytes,
    part_size: config.partSizeBytes,
    min_part_size: MIN_PART_SIZE_BYTES,
    max_part_size: MAX_PART_SIZE_BYTES,
    max_part_count: MAX_PART_COUNT,
    session_ttl_seconds: Math.floor(config.uploadTtlMs / 1000),
    body_idle_timeout_seconds: config.bodyIdleTimeoutMs / 1000,
    digest_algorithms: ['sha-256'],
    mrc_types: [...MRC_EXTENSIONS],
    accepted_types: [...config.acceptedTypes],
  };
}

/** IPv6 addresses stand in brackets in a URL. */
function printHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
