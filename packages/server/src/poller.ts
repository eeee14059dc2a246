/**
 * Polls for work: when it is woken, when the next work is due, and at least every `longestMs`, so that a changed clock
 * does not delay work without limit. Never twice at the same time.
 */
interface Polling {
  /** Starts the work that is due. @param signal after which nothing more is started. */
  poll(signal: AbortSignal): Promise<void>;
  /** Time until the next work is due, milliseconds; null: no work is waiting. */
  nextMs(): Promise<number | null>;
  /** Called with errors of `poll` or `nextMs`, which are repeated after `longestMs`. */
  onError(error: unknown): void;
  readonly shortestMs: number;
  readonly longestMs: number;
}

export class Poller {
  readonly #polling: Polling;
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | null = null;
  #isWoken = false;

  constructor(polling: Polling) {
    this.#polling = polling;
  }

  /** Aborted by `stop`. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Polls at once. After a stop this does nothing. */
  wake(): void {
    if (this.signal.aborted) return;
    this.#isWoken = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
      // Woken after the last poll, before this.
      if (this.#isWoken) this.wake();
    });
  }

  /** Resolves when no poll runs and none will start. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #run(): Promise<void> {
    const { shortestMs, longestMs } = this.#polling;
    let waitMs = longestMs;
    try {
      while (this.#isWoken && !this.signal.aborted) {
        this.#isWoken = false;
        await this.#polling.poll(this.signal);
      }
      const nextMs = await this.#polling.nextMs();
      if (nextMs !== null) waitMs = Math.min(longestMs, Math.max(shortestMs, nextMs));
    } catch (error) {
      this.#polling.onError(error);
    }
    clearTimeout(this.#timer);
    if (!this.signal.aborted) this.#timer = setTimeout(() => this.wake(), waitMs).unref();
  }
}
