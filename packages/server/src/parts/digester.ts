/** SHA-256 of bytes that lie in files already, by a worker thread. */
import { Worker } from 'node:worker_threads';
import { UploadError } from '@cryolift/protocol/errors';
import type { AdvanceJob, DropJob, JobReport, StartJob } from './digest-worker.ts';
import { BytesGone, type Extent } from './store.ts';
import { WORKER_LIMITS } from './writers.ts';

/** How long the acknowledgement of a part waits for the digest, at most. */
const CATCH_UP_MS = 250;
/** What is read in one go of a file that nobody waits for. */
const SLOW_BYTES = 1024 * 1024;

interface Digestion {
  job: number;
  /** File offsets: hashed up to, and readable up to. */
  at: number;
  limit: number;
  /** Replaced and resolved whenever `at` has moved, or the job has ended. */
  moved: PromiseWithResolvers<void>;
  sha256: Promise<Uint8Array>;
  resolve(sha256: Uint8Array): void;
  reject(error: Error): void;
}

/** Hashes whole files behind their arriving prefix, and single stretches on request. */
export class Digester {
  /** One Int32: 1 while there is something to digest, which goes before everything that nobody waits for. */
  readonly working = new SharedArrayBuffer(4);
  readonly #worker = new Worker(new URL('./digest-worker.ts', import.meta.url), {
    workerData: this.working,
    resourceLimits: WORKER_LIMITS,
  });
  readonly #jobs = new Map<number, Digestion>();
  /** Whole-file digests under way, by upload. */
  readonly #followed = new Map<string, Digestion>();
  /** Jobs that the worker was told to drop, with what to do when it has. */
  readonly #dropping = new Map<number, () => void>();
  #lastJob = 0;

  constructor() {
    this.#worker.on('message', (report: JobReport) => {
      if ('dropped' in report) {
        this.#dropping.get(report.job)?.();
        this.#dropping.delete(report.job);
        return;
      }
      const digestion = this.#jobs.get(report.job);
      if (!digestion) return;
      if ('at' in report) digestion.at = report.at;
      else this.#jobs.delete(report.job);
      digestion.moved.resolve();
      digestion.moved = Promise.withResolvers();
      if ('sha256' in report) digestion.resolve(report.sha256);
      else if ('error' in report) digestion.reject(unreadable(report.error));
    });
    this.#worker.on('error', (error) => {
      throw error;
    });
  }

  /** The first `prefixBytes` of the upload at `path` may be read; `sizeBytes` in all. */
  follow(uploadId: string, path: string, sizeBytes: number, prefixBytes: number): Promise<Uint8Array> {
    let digestion = this.#followed.get(uploadId);
    if (!digestion) {
      digestion = this.#start(path, { offset: 0, length: sizeBytes });
      this.#followed.set(uploadId, digestion);
      // Begun again from the first byte when it is asked for next.
      const begun = digestion;
      digestion.sha256.catch(() => {
        if (this.#followed.get(uploadId) === begun) this.#followed.delete(uploadId);
      });
    }
    this.#advance(digestion, prefixBytes);
    return digestion.sha256;
  }

  hash(path: string, extent: Extent): Promise<Uint8Array> {
    const digestion = this.#start(path, extent);
    this.#advance(digestion, extent.offset + extent.length);
    return digestion.sha256;
  }

  /** A whole file, no faster than `pace` lets it: that is waited for before so many bytes are read. */
  async hashSlowly(path: string, sizeBytes: number, pace: (bytes: number) => Promise<void>): Promise<Uint8Array> {
    const digestion = this.#start(path, { offset: 0, length: sizeBytes });
    digestion.sha256.catch(() => {});
    try {
      while (digestion.limit < sizeBytes && this.#jobs.has(digestion.job)) {
        const bytes = Math.min(SLOW_BYTES, sizeBytes - digestion.limit);
        await pace(bytes);
        this.#advance(digestion, digestion.limit + bytes);
        while (digestion.at < digestion.limit && this.#jobs.has(digestion.job)) await digestion.moved.promise;
      }
    } catch (error) {
      if (this.#jobs.delete(digestion.job)) this.#send({ kind: 'drop', job: digestion.job });
      throw error;
    }
    return await digestion.sha256;
  }

  /** Resolves when the digest of an upload is at most `slackBytes` behind, or after CATCH_UP_MS. */
  async catchUp(uploadId: string, slackBytes: number): Promise<void> {
    const digestion = this.#followed.get(uploadId);
    if (!digestion || digestion.limit - digestion.at <= slackBytes) return;
    const late = Promise.withResolvers<void>();
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      late.resolve();
    }, CATCH_UP_MS);
    while (!isLate && this.#jobs.has(digestion.job) && digestion.limit - digestion.at > slackBytes) {
      await Promise.race([digestion.moved.promise, late.promise]);
    }
    clearTimeout(timer);
  }

  /** Bytes that may be read and are not hashed yet, of all jobs. */
  lagBytes(): number {
    let lag = 0;
    for (const { at, limit } of this.#jobs.values()) lag += limit - at;
    return lag;
  }

  /** The upload has ended; its digest is not wanted any more. Resolves when the worker does not hold its file open. */
  async forget(uploadId: string): Promise<void> {
    const digestion = this.#followed.get(uploadId);
    if (!digestion) return;
    this.#followed.delete(uploadId);
    if (!this.#jobs.delete(digestion.job)) return;
    const dropped = Promise.withResolvers<void>();
    this.#dropping.set(digestion.job, dropped.resolve);
    this.#send({ kind: 'drop', job: digestion.job });
    digestion.moved.resolve();
    digestion.reject(unreadable('ECANCELED'));
    await dropped.promise;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
    for (const resolve of this.#dropping.values()) resolve();
  }

  #start(path: string, { offset, length }: Extent): Digestion {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const moved = Promise.withResolvers<void>();
    const digestion = { job: ++this.#lastJob, at: offset, limit: offset, moved, sha256: promise, resolve, reject };
    this.#jobs.set(digestion.job, digestion);
    this.#send({ kind: 'start', job: digestion.job, path, start: offset, end: offset + length });
    return digestion;
  }

  #advance(digestion: Digestion, limit: number): void {
    digestion.limit = Math.max(digestion.limit, limit);
    this.#send({ kind: 'advance', job: digestion.job, limit });
  }

  #send(message: StartJob | AdvanceJob | DropJob): void {
    this.#worker.postMessage(message);
  }
}

function unreadable(code: string): UploadError {
  if (code === 'ENOENT' || code === 'ENODATA') return new BytesGone('The bytes of this upload are not in the storage.');
  return new UploadError('storage_unavailable', `The stored bytes could not be read (${code}).`);
}
