/** The concatenations that run in this process. They go on without a request, and after the next start. */
import { SingleFlight } from '../../single-flight.ts';

/** More at once would only read and write at more places of the same disk. */
const MAX_RUNNING = 2;

export class Concatenations {
  readonly #flights = new SingleFlight<void>();
  readonly #stopping = new AbortController();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /**
   * Runs one task per id, or joins the one that runs. Does nothing after `stop`.
   *
   * @param work should end soon after its signal. @throws what it throws.
   */
  async run(id: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    await this.#flights.run(id, async () => {
      await this.#enter();
      try {
        const { signal } = this.#stopping;
        if (!signal.aborted) await work(signal);
      } finally {
        this.#running--;
        this.#waiting.shift()?.();
      }
    });
  }

  /** Ends all tasks; resolves when none runs. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#flights.settle();
  }

  async #enter(): Promise<void> {
    while (this.#running >= MAX_RUNNING) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.push(resolve);
      await promise;
    }
    this.#running++;
  }
}
