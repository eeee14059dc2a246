/**
 * Attempts at parts that are under way in this process. At most one attempt writes at a place; a newer one ends the
 * older one and waits until the last write of that has landed. An attempt that is committing is not ended, only waited for.
 */

export class Attempt {
  /** True once a newer attempt has taken the place: write nothing any more. */
  ended = false;
  #committing = false;
  #abort: (() => void) | null = null;
  readonly #released = Promise.withResolvers<void>();

  /** What to do to stop the writing. It must lead to a release. */
  onEnd(abort: () => void): void {
    this.#abort = abort;
    if (this.ended) abort();
  }

  /** The point of no return: all bytes are written and will be recorded. False when a newer attempt came first. */
  beginCommit(): boolean {
    if (!this.ended) this.#committing = true;
    return !this.ended;
  }

  /** Stops the attempt, unless it is committing, and waits for its end. */
  async end(): Promise<void> {
    if (!this.#committing && !this.ended) {
      this.ended = true;
      this.#abort?.();
    }
    await this.#released.promise;
  }

  /** No write is under way and none will come. */
  release(): void {
    this.#released.resolve();
  }

  get released(): Promise<void> {
    return this.#released.promise;
  }
}

export class PartAttempts {
  readonly #current = new Map<string, Map<number, Attempt>>();
  /** Uploads whose stored bytes belong to one piece of work alone, until the promise resolves. */
  readonly #exclusive = new Map<string, Promise<void>>();

  /** Ends the older attempt at this part, if there is one, and takes its place. */
  async begin(uploadId: string, idx: number): Promise<Attempt> {
    // Nothing may come between the last look and taking the place: of many who wait, all are woken at once.
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
    await older?.end();
    return attempt;
  }

  current(uploadId: string, idx: number): Attempt | undefined {
    return this.#current.get(uploadId)?.get(idx);
  }

  /**
   * Runs `work` on the stored bytes of an upload, alone: first ends every attempt and waits until the last write has landed;
   * attempts and other such work wait until this ends. The caller must not hold an attempt, or be within such work.
   */
  async exclude<Result>(uploadId: string, work: () => Promise<Result>): Promise<Result> {
    while (this.#exclusive.has(uploadId)) await this.#exclusive.get(uploadId);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#exclusive.set(uploadId, promise);
    try {
      await Promise.all([...(this.#current.get(uploadId)?.values() ?? [])].map((attempt) => attempt.end()));
      return await work();
    } finally {
      this.#exclusive.delete(uploadId);
      resolve();
    }
  }

  /** Whether such work has the upload now. */
  isExclusive(uploadId: string): boolean {
    return this.#exclusive.has(uploadId);
  }

  /** Parts that are being received now. */
  get count(): number {
    let count = 0;
    for (const ofUpload of this.#current.values()) count += ofUpload.size;
    return count;
  }
}
