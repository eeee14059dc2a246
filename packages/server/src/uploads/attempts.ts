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

export class Attempts {
  readonly #current = new Map<string, Map<number, Attempt>>();

  /** Ends the older attempt at this part, if there is one, and takes its place. */
  async begin(uploadId: string, idx: number): Promise<Attempt> {
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

  /** Ends every attempt at an upload and waits until the last write has landed. */
  async endAll(uploadId: string): Promise<void> {
    await Promise.all([...(this.#current.get(uploadId)?.values() ?? [])].map((attempt) => attempt.end()));
  }

  /** Parts that are being received now. */
  get count(): number {
    let count = 0;
    for (const ofUpload of this.#current.values()) count += ofUpload.size;
    return count;
  }
}
