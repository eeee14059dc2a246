/** The composition root: settings in, a running server out. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { MRC_EXTENSIONS } from '@cryolift/mrc';
import type { Limits } from '@cryolift/protocol/messages';
import { Previews } from './analysis/previews.ts';
import type { Config } from './config/config.ts';
import { type Database, pingDatabase, readTime } from './db/database.ts';
import { countSilent } from './db/datasets/silence.ts';
import { countDeliveries } from './db/deliveries.ts';
import { dialectOf } from './db/dialect.ts';
import { countOpenJobs } from './db/jobs.ts';
import { checkSchema } from './db/schema.ts';
import { RECEIPT_KEYS, SIGNING_KEYS } from './db/secrets.ts';
import { countStaged } from './db/uploads/uploads.ts';
import { Destinations } from './destinations/destinations.ts';
import { Pace } from './events/pace.ts';
import { Streams } from './events/streams.ts';
import { buildApp } from './http/app.ts';
import { fixedKeys, RotatedKeys, type SigningKeys } from './http/auth/signing-keys.ts';
import { createAuthenticator, discoveryOf } from './http/auth/tokens.ts';
import { ConnectionLimiter } from './http/connection/connection-limiter.ts';
import { Listeners } from './http/connection/listener.ts';
import { ZSTD } from './http/connection/zstd-receiver.ts';
import { createIds } from './ids.ts';
import { Leases } from './leases/leases.ts';
import { AuditLog } from './ops/audit.ts';
import type { Logger } from './ops/log.ts';
import { createMetrics } from './ops/metrics.ts';
import { Traces } from './ops/traces.ts';
import { ReceiptKeys } from './receipts/receipt-keys.ts';
import { createBackground, JOB_KINDS } from './startup/background.ts';
import { type DataOverrides, openData } from './startup/data.ts';
import { certificateRenewal, listen } from './startup/listening.ts';
import { openSecret } from './startup/secrets.ts';
import { SharedTime } from './startup/shared-time.ts';
import { shutDown } from './startup/shutdown.ts';
import { createUploadContext, partLimits } from './startup/upload-context.ts';
import { warnOfSettings } from './startup/warnings.ts';
import type { Storage } from './storage/storage.ts';
import { Clock } from './uploads/clock.ts';
import { LeasedAttempts } from './uploads/parts/leased-attempts.ts';
import { PartAttempts } from './uploads/parts/part-attempts.ts';
import { readUpload } from './uploads/upload-record.ts';
import { DoubtfulUploads } from './uploads/verification/doubtful-uploads.ts';
import { invalidateAll } from './uploads/verification/invalidation.ts';
import { VERSION } from './version.ts';

/** Size at which the audit starts a new file. */
const AUDIT_FILE_BYTES = 64 * 1024 * 1024;
/** Common proxies close a connection without data after 60 s, some after 30. */
const HEARTBEAT_MS = 15_000;

export interface RunningServer {
  /** Where it listens. */
  readonly url: string;
  /** The secret for tokens, when the server has generated it. */
  readonly ownSecret: string | null;
  /** Reads the certificate again, for new connections; an invalid one is logged and not used. Null without TLS. */
  readonly renewCertificate: (() => void) | null;
  /**
   * Accepts no new connections. Running requests and all other work have `graceMs` together; then all is closed, which
   * takes up to 5 s. After work that has not ended, the folders stay locked until the process ends.
   */
  stop(graceMs: number): Promise<void>;
}

/** Replacements for tests. */
export interface Overrides extends DataOverrides {
  readonly clock?: Clock;
  /** A new id, URL-safe and sortable by time. */
  newId?(): string;
  /** The number of lost lines of the log. */
  lostLogLines?(): number;
}

/**
 * @throws SettingError when the server cannot start with these settings: an address in use, a data folder that another
 * server has.
 */
export async function startServer(config: Config, log: Logger, overrides: Overrides = {}): Promise<RunningServer> {
  const { lostLogLines = () => 0 } = overrides;
  warnOfSettings(config, log);
  const doubtful = new DoubtfulUploads(log);
  const data = await openData(config, log, (uploadId) => doubtful.note(uploadId), overrides);
  const { db, storage, analyzer, ownSecret } = data;
  const leases = dialectOf(db).isShared ? new Leases(db, createIds(), log) : null;
  const attempts = leases ? new LeasedAttempts(db, leases) : new PartAttempts();
  const sharedTime = leases && (await SharedTime.open(() => readTime(db), log));
  const clock = overrides.clock ?? createClock(config, log, sharedTime?.now);
  const newId = overrides.newId ?? createIds(clock.now);
  const traces = config.otlpUrl === null ? null : new Traces(config.otlpUrl, VERSION, log);
  const streams = new Streams(clock.now);
  const metrics = createMetrics(JOB_KINDS);
  const wakeJobs = () => background.wakeJobs();
  const uploads = createUploadContext(config, { data, attempts, doubtful, metrics, clock, log, newId, wakeJobs });
  doubtful.start({ attempts, invalidate: (uploadId) => invalidateAll(uploads, uploadId) });
  const audit = createAudit(config, log);
  const receipts = {
    ...uploads,
    receiptKeys: new ReceiptKeys(openSecret(db, config.dataDir, RECEIPT_KEYS), clock.now),
    issuer: config.publicUrl ?? hostname(),
  };
  const pushes = { ...receipts, destinations: new Destinations(config.destinations) };
  const background = await createBackground(config, uploads, data, { clock, audit, leases, log, pushes });
  metrics.observe({
    partsUnderWay: () => attempts.count,
    digestLagBytes: () => storage.prefixes?.lagBytes() ?? 0,
    eventStreams: () => streams.count,
    uploads: () => countStaged(db),
    jobs: () => countOpenJobs(db),
    deliveries: () => countDeliveries(db),
    silentDatasets: () => countSilent(db),
    space: storage.space,
    scrubFaults: () => background.scrub.countFaults(),
    lostLogLines,
  });

  // Behind a proxy all connections have one address: the proxy must limit them.
  const perAddress = config.trustProxy === 0 ? config.connectionsPerAddress : Number.POSITIVE_INFINITY;
  const limiter = new ConnectionLimiter(perAddress);
  const listeners = new Listeners(config.tls, limiter, config.bodyIdleTimeoutMs);
  const tokenSecret = config.jwt.secret ?? ownSecret;
  const discovery = discoveryOf(config.jwt);
  let stopping = false;
  const app = await buildApp(
    {
      uploads,
      previews: new Previews(storage, analyzer),
      events: {
        db,
        bus: uploads.bus,
        now: clock.now,
        newId,
        pace: new Pace(),
        source: config.publicUrl ?? '/',
        heartbeatMs: HEARTBEAT_MS,
        readUpload: (id) => readUpload(db, id),
      },
      streams,
      audit,
      scrub: background.scrub,
      sweep: background.requestedSweep,
      wakeWebhook: background.wakeWebhook,
      signingKeys: createSigningKeys(config, db, clock),
      receipts,
      pushes,
      authenticate: createAuthenticator({ ...config.jwt, secret: tokenSecret }, log, clock.now, discovery),
      signInOrigins: () => (config.signIn === null ? [] : (discovery?.origins ?? [])),
      tokenSecret,
      metrics,
      traces,
      log,
      limits: describeLimits(config, storage),
      version: VERSION,
      async checkReady() {
        await storage.ping();
        await pingDatabase(db);
        // Another server may have migrated it since the start.
        if (leases) await checkSchema(db);
      },
      options: { ...config, serveMetrics: config.metrics },
    },
    listeners,
    () => stopping,
  );
  await background.start();
  const listening = await listen(config, app, listeners, limiter, log);

  return {
    url: listening.url,
    ownSecret,
    renewCertificate: config.tls && certificateRenewal(config.tls, listeners, log),
    async stop(graceMs) {
      stopping = true;
      streams.endAll();
      sharedTime?.stop();
      await shutDown(graceMs, { data, listening, background, doubtful, audit, traces, leases, log });
    },
  };
}

/** @param wall milliseconds since 1970; that of this system when not given. */
function createClock(config: Config, log: Logger, wall?: () => number): Clock {
  const onJump = (byMs: number) =>
    log.warn({ by_seconds: Math.round(byMs / 1000) }, 'the clock has jumped: nothing expires for some time');
  return new Clock(config.uploadTtlMs, onJump, wall);
}

function createSigningKeys({ dataDir, signingSecret }: Config, db: Database, clock: Clock): SigningKeys {
  if (signingSecret !== null) return fixedKeys(signingSecret);
  return new RotatedKeys(openSecret(db, dataDir, SIGNING_KEYS), clock.now);
}

function createAudit(config: Config, log: Logger): AuditLog {
  const bounds = { ...config.audit, maxFileBytes: AUDIT_FILE_BYTES };
  return new AuditLog(join(config.dataDir, 'audit'), bounds, (file) =>
    log.warn({ file }, 'a file of the audit was removed because of its age or the total size'),
  );
}

function describeLimits(config: Config, storage: Storage): Limits {
  const parts = partLimits(config, storage);
  return {
    max_file_size: config.maxFileSizeBytes,
    part_size: parts.partSizeBytes,
    min_part_size: parts.minPartSizeBytes,
    max_part_size: parts.maxPartSizeBytes,
    max_part_count: parts.maxPartCount,
    session_ttl_seconds: Math.floor(config.uploadTtlMs / 1000),
    body_idle_timeout_seconds: config.bodyIdleTimeoutMs / 1000,
    digest_algorithms: ['sha-256'],
    part_encodings: [ZSTD],
    mrc_types: [...MRC_EXTENSIONS],
    accepted_types: [...config.acceptedTypes],
    sign_in: describeSignIn(config),
    ...(storage.presigner ? { direct: true } : {}),
    ...(config.partOrigins.length > 0 ? { part_origins: [...config.partOrigins] } : {}),
  };
}

function describeSignIn({ signIn }: Config): Limits['sign_in'] {
  if (signIn === null) return null;
  const { issuer, clientId, scope, audience } = signIn;
  return { issuer, client_id: clientId, scope, audience };
}
