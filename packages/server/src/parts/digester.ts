/** SHA-256 of bytes that lie in files already, by a worker thread. */
import { Worker } from 'node:worker_threads';
import { UploadError } from '@cryolift/protocol/errors';
import type { AdvanceJob, DropJob, JobDone, StartJob } from './digest-worker.ts';
import { BytesGone, type Extent } from './store.ts';
import { WORKER_LIMITS } from './writers.ts';

interface Digestion {
  job: number;
  sha256: Promise<Uint8Array>;
  resolve(sha256: Uint8Array): void;
  reject(error: Error): void;
}

/** Hashes whole files behind their arriving prefix, and single stretches on request. */
export class Digester {
  readonly #worker = new Worker(new URL('./digest-worker.ts', import.meta.url), { resourceLimits: WORKER_LIMITS });
  readonly #jobs = new Map<number, Digestion>();
  /** Whole-file digests under way, by upload. */
  readonly #followed = new Map<string, Digestion>();
  #lastJob = 0;

  constructor() {
    this.#worker.on('message', (done: JobDone) => {
      const digestion = this.#jobs.get(done.job);
      this.#jobs.delete(done.job);
      if ('sha256' in done) digestion?.resolve(done.sha256);
      else digestion?.reject(unreadable(done.error));
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
    this.#send({ kind: 'advance', job: digestion.job, limit: prefixBytes });
    return digestion.sha256;
  }

  hash(path: string, extent: Extent): Promise<Uint8Array> {
    const { job, sha256 } = this.#start(path, extent);
    this.#send({ kind: 'advance', job, limit: extent.offset + extent.length });
    return sha256;
  }

  /** The upload has ended; its digest is not wanted any more. */
  forget(uploadId: string): void {
    const digestion = this.#followed.get(uploadId);
    if (!digestion) return;
    this.#followed.delete(uploadId);
    if (!this.#jobs.delete(digestion.job)) return;
    this.#send({ kind: 'drop', job: digestion.job });
    digestion.reject(unreadable('ECANCELED'));
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #start(path: string, { offset, length }: Extent): Digestion {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const digestion = { job: ++this.#lastJob, sha256: promise, resolve, reject };
    this.#jobs.set(digestion.job, digestion);
    this.#send({ kind: 'start', job: digestion.job, path, start: offset, end: offset + length });
    return digestion;
  }

  #send(message: StartJob | AdvanceJob | DropJob): void {
    this.#worker.postMessage(message);
  }
}

function unreadable(code: string): UploadError {
  if (code === 'ENOENT' || code === 'ENODATA') return new BytesGone('The bytes of this upload are not in the storage.');
  return new UploadError('storage_unavailable', `The stored bytes could not be read (${code}).`);
}
