/**
 * The attempts to receive parts that are under way in this process. At most one attempt writes a part at a time: a
 * newer attempt aborts the older one and waits until its last write is done. An attempt that commits is not aborted,
 * only awaited.
 */

export class Attempt {
  /** True once a newer attempt has replaced this one, which then writes nothing any more. */
  aborted = false;
  #committing = false;
  #abort: (() => void) | null = null;
  readonly #released = Promise.withResolvers<void>();

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
    if (!this.#committing && !this.aborted) {
      this.aborted = true;
      this.#abort?.();
    }
    await this.#released.promise;
  }

  /** No write is under way, and none will follow. */
  release(): void {
    this.#released.resolve();
  }

  get released(): Promise<void> {
    return this.#released.promise;
  }
}

export class PartAttempts {
  readonly #current = new Map<string, Map<number, Attempt>>();
  /** Uploads whose stored bytes one task has for itself, until the promise resolves. */
  readonly #exclusive = new Map<string, Promise<void>>();

  /** Aborts the older attempt at this part, if there is one, and replaces it. */
  async begin(uploadId: string, idx: number): Promise<Attempt> {
    // No await may stand between this loop and the `set` below: all attempts that wait here resume at the same time.
    while (this.#exclusive.has(uploadId)) await this.#exclusive.get(uploadId);
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

  current(uploadId: string, idx: number): Attempt | undefined {
    return this.#current.get(uploadId)?.get(idx);
  }

  /**
   * Runs `work` while nothing else uses the stored bytes of an upload: first aborts every attempt and waits until its
   * last write is done. Attempts and other calls of `exclude` wait until `work` ends. The caller must not hold an
   * attempt or be inside such work.
   */
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

  /** True while `exclude` runs for the upload. */
  isExclusive(uploadId: string): boolean {
    return this.#exclusive.has(uploadId);
  }

  /** The number of parts that are being received. */
  get count(): number {
    let count = 0;
    for (const ofUpload of this.#current.values()) count += ofUpload.size;
    return count;
  }
}
