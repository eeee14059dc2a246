/** Creates the contexts of `uploads/` and `files/`. */
import { isMdocName, isMrcName, mayBeTiff } from '@cryolift/mrc';
import { planParts } from '@cryolift/protocol/plan';
import { ANALYSIS_JOB } from '../analysis-job.ts';
import type { Config } from '../config/config.ts';
import { Bus } from '../events/bus.ts';
import { Outbox } from '../events/outbox.ts';
import { UpdateLimit } from '../files/update-limit.ts';
import { ON_COMPLETE } from '../jobs/on-complete.ts';
import type { Logger } from '../ops/log.ts';
import type { Metrics } from '../ops/metrics.ts';
import { SingleFlight } from '../single-flight.ts';
import type { Storage } from '../storage/storage.ts';
import { Concatenations } from '../uploads/append/concatenations.ts';
import type { Clock } from '../uploads/clock.ts';
import type { UploadContext } from '../uploads/context.ts';
import { ContiguousPrefixes } from '../uploads/parts/contiguous-prefix.ts';
import type { Attempts } from '../uploads/parts/part-attempts.ts';
import type { DoubtfulUploads } from '../uploads/verification/doubtful-uploads.ts';
import { VerifiedParts } from '../uploads/verification/verified-parts.ts';
import type { Data } from './data.ts';

interface Made {
  readonly data: Pick<Data, 'db' | 'storage' | 'analyzer'>;
  readonly attempts: Attempts;
  readonly doubtful: DoubtfulUploads;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Logger;
  newId(): string;
  /** Called after jobs were added. */
  wakeJobs(): void;
}

/** What the storage can hold, and the part size that the settings ask for as far as it can. */
export function partLimits({ partSizeBytes }: Config, { uploads: { limits } }: Storage) {
  return { ...limits, partSizeBytes: planParts(0, { ...limits, partSizeBytes }).partSizeBytes };
}

export function createUploadContext(config: Config, made: Made): UploadContext {
  const { data, attempts, doubtful, metrics, clock, log, newId, wakeJobs } = made;
  const { db, storage, analyzer } = data;
  const verified = new VerifiedParts(storage);
  const bus = new Bus();
  return {
    db,
    storage,
    analyzer,
    policy: {
      parts: partLimits(config, storage),
      maxFileSizeBytes: config.maxFileSizeBytes,
      uploadTtlMs: config.uploadTtlMs,
      compressAfterMs: config.compressAfterMs,
      quotaBytes: config.quotaBytes,
      maxOpenUploads: config.maxOpenUploads,
      maxFiles: config.maxFiles,
      maxLinkMs: config.maxLinkMs,
      acceptedTypes: config.acceptedTypes,
    },
    bus,
    outbox: new Outbox(db, bus, newId),
    attempts,
    prefixes: new ContiguousPrefixes(db, storage, analyzer, verified),
    verified,
    doubtful,
    completions: new SingleFlight(),
    concatenations: new Concatenations(),
    failedRounds: new Map(),
    reverifications: new SingleFlight(),
    updateLimit: new UpdateLimit(),
    fileJobs: {
      kindsFor: (filename) => [
        ...(isMrcName(filename) || isMdocName(filename) || mayBeTiff(filename) ? [ANALYSIS_JOB] : []),
        ...(config.onComplete ? [ON_COMPLETE] : []),
      ],
      runsOnDatasetComplete: config.onDatasetComplete !== null,
      wake: wakeJobs,
    },
    log,
    meter: metrics,
    now: clock.now,
    isClockSettled: clock.isSettled,
    newId,
  };
}
