/** Flushes of folders that many callers wait for at once, as after the renames of many files. */

export class FolderFlushes {
  readonly #flush: (path: string) => Promise<void>;
  readonly #running = new Map<string, Promise<void>>();
  /** They wait for the running one. */
  readonly #next = new Map<string, Promise<void>>();

  /** @param flush flushes the names that are in a folder when it is called. */
  constructor(flush: (path: string) => Promise<void>) {
    this.#flush = flush;
  }

  /**
   * Flushes the names that are in the folder now, by a flush that begins after this call. Calls that come before it
   * begins share it. @throws what that flush throws.
   */
  async flush(path: string): Promise<void> {
    let next = this.#next.get(path);
    if (!next) {
      next = this.#begin(path);
      this.#next.set(path, next);
    }
    await next;
  }

  async #begin(path: string): Promise<void> {
    // Its own callers get its error.
    await this.#running.get(path)?.catch(() => {});
    this.#next.delete(path);
    const running = this.#flush(path);
    this.#running.set(path, running);
    try {
      await running;
    } finally {
      if (this.#running.get(path) === running) this.#running.delete(path);
    }
  }
}
