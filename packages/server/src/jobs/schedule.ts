/** Work that runs at intervals and on request; never twice at the same time. */
export class Repeated<Result> {
  readonly #everyMs: number;
  readonly #work: (signal: AbortSignal) => Promise<Result>;
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #lastTurn: Promise<unknown> = Promise.resolve();
  /** The next run, which has not started. */
  #next: Promise<Result> | null = null;

  /** @param work should end soon after `signal`. */
  constructor(everyMs: number, work: (signal: AbortSignal) => Promise<Result>) {
    this.#everyMs = everyMs;
    this.#work = work;
    this.#wait();
  }

  /** Runs after the current run, if there is one. Requests until then share the run. */
  async now(): Promise<Result> {
    clearTimeout(this.#timer);
    if (!this.#next) {
      this.#next = this.#lastTurn.then(() => {
        this.#next = null;
        return this.#work(this.#stopping.signal);
      });
      this.#lastTurn = this.#next.then(
        () => this.#wait(),
        () => this.#wait(),
      );
    }
    return await this.#next;
  }

  /** Resolves when the current run has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#lastTurn;
  }

  #wait(): void {
    clearTimeout(this.#timer);
    // The work reports its failures.
    if (!this.#stopping.signal.aborted) this.#timer = setTimeout(() => this.now().catch(() => {}), this.#everyMs);
  }
}
