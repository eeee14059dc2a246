/** Runs one task per key at a time; all callers during the run share its result. */
export class SingleFlight<Result> {
  readonly #running = new Map<string, Promise<Result>>();

  /**
   * Joins the running task of this key, or starts it. @throws the error of the task; the next caller starts it again.
   */
  async run(key: string, work: () => Promise<Result>): Promise<Result> {
    let running = this.#running.get(key);
    if (!running) {
      running = work().finally(() => this.#running.delete(key));
      // The callers may have stopped waiting when it fails.
      running.catch(() => {});
      this.#running.set(key, running);
    }
    return await running;
  }

  /** Resolves when all running tasks have ended, with any result. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#running.values());
  }
}
