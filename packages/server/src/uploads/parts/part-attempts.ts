/**
 * The attempts to receive parts that are under way in this process. At most one attempt writes a part at a time: a
 * newer attempt aborts the older one and waits until its last write is done. An attempt that commits is not aborted,
 * only awaited.
 */
import { UploadError } from '@cryolift/protocol/errors';
import type { Guard } from '../../db/database.ts';
import type { Lease } from '../../leases/lease.ts';

/** Who may write parts, and use the stored bytes of an upload. */
export interface Attempts {
  /** Aborts the older attempt at this part, if there is one, and replaces it. @throws UploadError. */
  begin(uploadId: string, idx: number): Promise<Attempt>;
  /**
   * As `begin`, for a caller that holds another attempt at the upload. It does not wait for `exclude`, which waits for that.
   *
   * @throws UploadError `overloaded` while `exclude` runs.
   */
  beginWithin(uploadId: string, idx: number): Promise<Attempt>;
  /** The attempt at this part that is under way; undefined when there is none. */
  current(uploadId: string, idx: number): Promise<{ readonly released: Promise<void> } | undefined>;
  /** The parts among these that are being received. */
  listReceived(uploadId: string, indices: readonly number[]): Promise<Set<number>>;
  /**
   * Runs `work` while nothing else uses the stored bytes of an upload: first aborts every attempt and waits until its
   * last write is done. Attempts and other calls of `exclude` wait until `work` ends. The caller must not hold an
   * attempt or be inside such work.
   */
  exclude<Result>(uploadId: string, work: () => Promise<Result>): Promise<Result>;
  /** True while `exclude` runs for the upload. */
  isExclusive(uploadId: string): Promise<boolean>;
  /**
   * To be called in such work before something that cannot be undone. @throws UploadError `overloaded` when another server
   * may have started such work since.
   */
  assertExclusive(uploadId: string): Promise<void>;
  /** As `assertExclusive`, for a transaction: it holds until the commit. */
  guardExclusive(uploadId: string): Guard;
  /** The number of parts that are being received. */
  readonly count: number;
}

export class Attempt {
  /** True once a newer attempt has replaced this one, which then writes nothing any more. */
  aborted = false;
  #committing = false;
  #abort: (() => void) | null = null;
  #lease: Lease | null = null;
  readonly #released = Promise.withResolvers<void>();

  /** Of the part among several servers; null: there is one, or the attempt was aborted before. */
  get lease(): Lease | null {
    return this.#lease;
  }

  /** Whether no other server can have started an attempt at the part. @throws UploadError `database_unavailable`. */
  async isConfirmed(): Promise<boolean> {
    return this.#lease === null || (await this.#lease.confirm());
  }

  /** Gives the lease back when the attempt is released, and ends the attempt when it is lost or asked for. */
  keep(lease: Lease): void {
    this.#lease = lease;
    lease.lost.addEventListener('abort', () => this.#stop());
    lease.whenAsked(() => this.supersede());
    void this.#released.promise.then(() => lease.release());
  }

  /** @param abort stops the writing. It must lead to `release`. */
  onAbort(abort: () => void): void {
    this.#abort = abort;
    if (this.aborted) abort();
  }

  /** From here on the attempt is not aborted. @returns false when a newer attempt has aborted it before. */
  beginCommit(): boolean {
    if (!this.aborted) this.#committing = true;
    return !this.aborted;
  }

  /** Aborts the attempt, unless it commits, and waits until it is released. */
  async abort(): Promise<void> {
    this.supersede();
    await this.#released.promise;
  }

  /** Aborts the attempt, unless it commits. */
  supersede(): void {
    if (!this.#committing) this.#stop();
  }

  #stop(): void {
    if (this.aborted) return;
    this.aborted = true;
    this.#abort?.();
  }

  /** No write is under way, and none will follow. */
  release(): void {
    this.#released.resolve();
  }

  get released(): Promise<void> {
    return this.#released.promise;
  }
}

export class PartAttempts implements Attempts {
  readonly #current = new Map<string, Map<number, Attempt>>();
  /** Uploads whose stored bytes one task has for itself, until the promise resolves. */
  readonly #exclusive = new Map<string, Promise<void>>();

  async begin(uploadId: string, idx: number): Promise<Attempt> {
    // No await may stand between this loop and the `set` below: all attempts that wait here resume at the same time.
    while (this.#exclusive.has(uploadId)) await this.#exclusive.get(uploadId);
    return await this.#replace(uploadId, idx);
  }

  async beginWithin(uploadId: string, idx: number): Promise<Attempt> {
    if (this.#exclusive.has(uploadId)) throw exclusive();
    return await this.#replace(uploadId, idx);
  }

  async #replace(uploadId: string, idx: number): Promise<Attempt> {
    const ofUpload = this.#current.get(uploadId) ?? new Map<number, Attempt>();
    this.#current.set(uploadId, ofUpload);
    const older = ofUpload.get(idx);
    const attempt = new Attempt();
    ofUpload.set(idx, attempt);
    attempt.released.then(() => {
      if (ofUpload.get(idx) === attempt) ofUpload.delete(idx);
      if (ofUpload.size === 0 && this.#current.get(uploadId) === ofUpload) this.#current.delete(uploadId);
    });
    await older?.abort();
    return attempt;
  }

  async current(uploadId: string, idx: number): Promise<Attempt | undefined> {
    return this.#current.get(uploadId)?.get(idx);
  }

  async listReceived(uploadId: string, indices: readonly number[]): Promise<Set<number>> {
    const ofUpload = this.#current.get(uploadId);
    return new Set(indices.filter((idx) => ofUpload?.has(idx)));
  }

  async exclude<Result>(uploadId: string, work: () => Promise<Result>): Promise<Result> {
    while (this.#exclusive.has(uploadId)) await this.#exclusive.get(uploadId);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#exclusive.set(uploadId, promise);
    try {
      await Promise.all([...(this.#current.get(uploadId)?.values() ?? [])].map((attempt) => attempt.abort()));
      return await work();
    } finally {
      this.#exclusive.delete(uploadId);
      resolve();
    }
  }

  async isExclusive(uploadId: string): Promise<boolean> {
    return this.#exclusive.has(uploadId);
  }

  async assertExclusive(): Promise<void> {}

  guardExclusive(): Guard {
    return async () => {};
  }

  get count(): number {
    let count = 0;
    for (const ofUpload of this.#current.values()) count += ofUpload.size;
    return count;
  }
}

/** Some work has the stored bytes of the upload for itself. */
export function exclusive(): UploadError {
  const message = 'The server is working on the stored bytes of this upload.';
  return new UploadError('overloaded', message, { retryAfterSeconds: 1 });
}
