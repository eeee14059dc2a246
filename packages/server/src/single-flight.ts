/** One piece of work per key at a time: all who ask for it while it goes on get its result. */
export class SingleFlight<Result> {
  readonly #running = new Map<string, Promise<Result>>();

  /** Joins the work of this key, or starts it. @throws what the work throws; the next caller starts it anew. */
  async run(key: string, work: () => Promise<Result>): Promise<Result> {
    let running = this.#running.get(key);
    if (!running) {
      running = work().finally(() => this.#running.delete(key));
      // The callers may have given up waiting when it fails.
      running.catch(() => {});
      this.#running.set(key, running);
    }
    return await running;
  }

  /** Resolves when all work that goes on now has ended, whatever came of it. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#running.values());
  }
}
