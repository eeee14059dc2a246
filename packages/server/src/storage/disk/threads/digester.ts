/** SHA-256 of stored bytes, computed by a worker thread. */
import { Worker } from 'node:worker_threads';
import type { UploadError } from '@cryolift/protocol/errors';
import { BytesGone, explainReadCode } from '../../errors.ts';
import type { Extent, PartSelection } from '../../places.ts';
import type { WholeDigest } from '../../upload-storage.ts';
import { REPLACED } from '../file-identity.ts';
import type { AdvanceJob, DropJob, JobReport, StartJob } from './digest-worker.ts';
import { WORKER_LIMITS } from './writers.ts';

/** How long the acknowledgement of a part waits for the digest, at most. */
const CATCH_UP_MS = 250;
/** Bytes per read of a file in the background. */
const SLOW_BYTES = 1024 * 1024;
const SHA256_BYTES = 32;

/** The result of a pass over an upload. */
export interface UploadDigest extends WholeDigest {
  /** Identity of the file that was read (`identityOf`); null when no byte was read. */
  identity: string | null;
}

interface Digestion {
  job: number;
  /** File offsets: hashed up to, and readable up to. */
  at: number;
  limit: number;
  /** Replaced and resolved when `at` has changed, or the job has ended. */
  moved: PromiseWithResolvers<void>;
  /** Parts whose digests are computed, too. */
  parts: PartSelection | null;
  digest: Promise<UploadDigest>;
  resolve(digest: UploadDigest): void;
  reject(error: Error): void;
}

/** Hashes whole files behind their contiguous prefix, and single ranges on request. */
export class Digester {
  /** One Int32: 1 while digests are computed, which have priority over background work. */
  readonly working = new SharedArrayBuffer(4);
  readonly #worker = new Worker(new URL('./digest-worker.ts', import.meta.url), {
    workerData: this.working,
    resourceLimits: WORKER_LIMITS,
  });
  readonly #jobs = new Map<number, Digestion>();
  /** Whole-file digests under way, by upload. */
  readonly #followed = new Map<string, Digestion>();
  /** Jobs that the worker must drop, with the callbacks for when it has. */
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
      if ('digest' in report)
        digestion.resolve({ ...report.digest, parts: unpack(digestion.parts, report.digest.parts) });
      else if ('error' in report) digestion.reject(unreadable(report.error));
    });
    this.#worker.on('error', (error) => {
      throw error;
    });
  }

  /**
   * The first `prefixBytes` of the upload at `path` may be read; `sizeBytes` in all.
   *
   * @param unverified called when the pass starts: the parts whose digests are computed in it.
   */
  follow(
    uploadId: string,
    path: string,
    sizeBytes: number,
    prefixBytes: number,
    unverified: () => PartSelection | null,
  ): Promise<UploadDigest> {
    let digestion = this.#followed.get(uploadId);
    if (!digestion) {
      digestion = this.#start(path, { offset: 0, length: sizeBytes }, unverified());
      this.#followed.set(uploadId, digestion);
      // The next request starts again at the first byte.
      const started = digestion;
      digestion.digest.catch(() => {
        if (this.#followed.get(uploadId) === started) this.#followed.delete(uploadId);
      });
    }
    this.#advance(digestion, prefixBytes);
    return digestion.digest;
  }

  /** Whether a pass over the upload is under way, or is done. */
  isFollowing(uploadId: string): boolean {
    return this.#followed.has(uploadId);
  }

  async hash(path: string, extent: Extent): Promise<Uint8Array> {
    const digestion = this.#start(path, extent, null);
    this.#advance(digestion, extent.offset + extent.length);
    return (await digestion.digest).sha256;
  }

  /** Hashes a whole file and selected parts of it in a pass of its own. @throws the reason of `signal`. */
  async hashWhole(
    path: string,
    sizeBytes: number,
    parts: PartSelection | null,
    signal?: AbortSignal,
  ): Promise<UploadDigest> {
    signal?.throwIfAborted();
    const digestion = this.#start(path, { offset: 0, length: sizeBytes }, parts);
    this.#advance(digestion, sizeBytes);
    const stop = () => {
      if (!this.#jobs.delete(digestion.job)) return;
      this.#send({ kind: 'drop', job: digestion.job });
      digestion.reject(signal?.reason);
    };
    signal?.addEventListener('abort', stop);
    try {
      return await digestion.digest;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  /** Hashes a whole file at the rate of `pace`, which is awaited before each read. */
  async hashSlowly(path: string, sizeBytes: number, pace: (bytes: number) => Promise<void>): Promise<Uint8Array> {
    const digestion = this.#start(path, { offset: 0, length: sizeBytes }, null);
    digestion.digest.catch(() => {});
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
    return (await digestion.digest).sha256;
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

  /** Bytes of all jobs that can be read and are not hashed. */
  lagBytes(): number {
    let lag = 0;
    for (const { at, limit } of this.#jobs.values()) lag += limit - at;
    return lag;
  }

  /** Cancels the digest of an ended upload. Resolves when the worker has closed the file. */
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

  #start(path: string, { offset, length }: Extent, parts: PartSelection | null): Digestion {
    const { promise, resolve, reject } = Promise.withResolvers<UploadDigest>();
    const moved = Promise.withResolvers<void>();
    const job = ++this.#lastJob;
    const digestion = { job, at: offset, limit: offset, moved, parts, digest: promise, resolve, reject };
    this.#jobs.set(job, digestion);
    this.#send({ kind: 'start', job, path, start: offset, end: offset + length, parts });
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

/** @param digests of the selected parts, in order, one after the other. */
function unpack(parts: PartSelection | null, digests: Uint8Array): Map<number, Uint8Array> {
  const unpacked = new Map<number, Uint8Array>();
  parts?.selected.forEach((isSelected, idx) => {
    const at = unpacked.size * SHA256_BYTES;
    if (isSelected) unpacked.set(idx, digests.subarray(at, at + SHA256_BYTES));
  });
  return unpacked;
}

/** Another file, or a folder: the written bytes are missing. ESTALE of NFS says that only the next open can tell. */
const GONE = new Set([REPLACED, 'EISDIR']);

function unreadable(code: string): UploadError {
  if (GONE.has(code)) return new BytesGone(`The bytes are not in the storage (${code}).`);
  return explainReadCode(code);
}
