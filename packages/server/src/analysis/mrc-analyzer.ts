/** Analyzes stored MRC files in a thread of low priority: analyses of whole files, and single pictures. */
import { Worker } from 'node:worker_threads';
import type { PreviewRequest } from '@cryolift/mrc';
import { explainReadCode } from '../storage/errors.ts';
import type { AnalysisMessage, AnalysisReport } from './messages.ts';
import type { AnalysisResult, Rendered } from './result.ts';
import type { AnalysisTarget } from './target.ts';

/**
 * Uploads that are analyzed while they arrive; each needs about 10 MiB. The others are read again after they are
 * published.
 */
const MAX_FOLLOWED = 2;
/** Heap limit for the numbers of one file; the default of V8 is much larger. */
const LIMITS = { maxYoungGenerationSizeMb: 16, maxOldGenerationSizeMb: 128 };

type Analyzed = { analyzed: AnalysisResult | null; damage?: string };
type Answer = Analyzed | { rendered: Rendered };

export class MrcAnalyzer {
  readonly #digesting: SharedArrayBuffer;
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>();
  /** Running analyses, by upload: their jobs, and the metadata they use. */
  readonly #followed = new Map<string, { job: number; overrides: string }>();
  /** Jobs that the thread must drop, with the callbacks for when it has. */
  readonly #dropping = new Map<number, () => void>();
  #worker: Worker | null = null;
  #lastJob = 0;

  /** @param digesting contains 1 while digests are computed, which have priority. */
  constructor(digesting: SharedArrayBuffer) {
    this.#digesting = digesting;
  }

  /** The first `prefixBytes` of an upload may be read. */
  follow(uploadId: string, target: AnalysisTarget, prefixBytes: number): void {
    let job = this.#followed.get(uploadId)?.job;
    if (job === undefined) {
      if (this.#followed.size >= MAX_FOLLOWED) return;
      job = this.#begin(uploadId, target);
    }
    this.#send({ kind: 'advance', job, url: target.url, limit: prefixBytes, isWanted: false });
  }

  /**
   * The result of one pass over a whole file; continues the work of `follow`. Null when its voxels cannot be read;
   * `damage` says what is wrong with the data of a TIFF file.
   *
   * @throws BytesGone, or UploadError when the file cannot be read now.
   */
  async analyze(uploadId: string, target: AnalysisTarget, signal: AbortSignal): Promise<Analyzed> {
    // The metadata may have changed since the start.
    const followed = this.#followed.get(uploadId);
    if (followed && followed.overrides !== printOverrides(target)) {
      await this.forget(uploadId);
      if (signal.aborted) throw unreadable('ECANCELED');
    }
    const job = this.#followed.get(uploadId)?.job ?? this.#begin(uploadId, target);
    const stop = () => void this.forget(uploadId);
    signal.addEventListener('abort', stop);
    try {
      const found = this.#wait(job);
      const { url, sizeBytes: limit, tilts } = target;
      this.#send({ kind: 'advance', job, url, limit, isWanted: true, tilts });
      return (await found) as Analyzed;
    } finally {
      signal.removeEventListener('abort', stop);
      if (this.#followed.get(uploadId)?.job === job) this.#followed.delete(uploadId);
    }
  }

  /**
   * @throws BytesGone, UploadError when the file cannot be read now, or the reason of `signal`: then the thread stops,
   * too.
   */
  async render(target: AnalysisTarget, request: PreviewRequest, signal: AbortSignal): Promise<Rendered> {
    signal.throwIfAborted();
    const job = ++this.#lastJob;
    const drawn = this.#wait(job);
    this.#send({ kind: 'render', job, target, request });
    const cancel = () => {
      this.#fail(job, signal.reason);
      this.#worker?.postMessage({ kind: 'cancel', job } satisfies AnalysisMessage);
    };
    signal.addEventListener('abort', cancel);
    try {
      return ((await drawn) as { rendered: Rendered }).rendered;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  /**
   * To be called before the bytes of an upload are removed or changed. Resolves when the thread has closed the file.
   */
  async forget(uploadId: string): Promise<void> {
    const job = this.#followed.get(uploadId)?.job;
    if (job === undefined) return;
    this.#followed.delete(uploadId);
    this.#fail(job, unreadable('ECANCELED'));
    if (!this.#worker) return;
    const dropped = Promise.withResolvers<void>();
    this.#dropping.set(job, dropped.resolve);
    this.#send({ kind: 'drop', job });
    await dropped.promise;
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
    this.#end('ECANCELED');
  }

  #begin(uploadId: string, target: AnalysisTarget): number {
    const job = ++this.#lastJob;
    this.#followed.set(uploadId, { job, overrides: printOverrides(target) });
    this.#send({ kind: 'analyze', job, target });
    return job;
  }

  async #wait(job: number): Promise<Answer> {
    const waiting = Promise.withResolvers<Answer>();
    this.#waiting.set(job, waiting);
    return await waiting.promise;
  }

  #fail(job: number, error: Error): void {
    this.#waiting.get(job)?.reject(error);
    this.#waiting.delete(job);
  }

  /** The thread starts with the first file. */
  #send(message: AnalysisMessage): void {
    this.#worker ??= this.#start();
    this.#worker.postMessage(message);
  }

  #start(): Worker {
    const worker = new Worker(new URL('./analysis-worker.ts', import.meta.url), {
      workerData: this.#digesting,
      resourceLimits: LIMITS,
    });
    worker.on('message', (report: AnalysisReport) => this.#take(report));
    // No part or digest is affected: callers get an error, and the next analysis starts a new thread.
    worker.on('error', (error: Error) => {
      this.#worker = null;
      this.#end(error.message);
    });
    return worker;
  }

  #take(report: AnalysisReport): void {
    if ('dropped' in report) {
      this.#dropping.get(report.job)?.();
      this.#dropping.delete(report.job);
      return;
    }
    if ('error' in report) {
      for (const [uploadId, { job }] of this.#followed) if (job === report.job) this.#followed.delete(uploadId);
      this.#fail(report.job, unreadable(report.error));
      return;
    }
    this.#waiting.get(report.job)?.resolve(report);
    this.#waiting.delete(report.job);
  }

  #end(code: string): void {
    this.#followed.clear();
    for (const job of [...this.#waiting.keys()]) this.#fail(job, unreadable(code));
    for (const resolve of this.#dropping.values()) resolve();
    this.#dropping.clear();
  }
}

function printOverrides({ overrides: { kind, mode0 } = {} }: AnalysisTarget): string {
  return JSON.stringify([kind, mode0]);
}

/** @param code of the system, or the message of an unexpected error. */
function unreadable(code: string): Error {
  return /^E[A-Z0-9]+$/.test(code) ? explainReadCode(code) : new Error(`the analysis of a file failed: ${code}`);
}
