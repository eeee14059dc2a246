/** Work that is done every so often, and whenever somebody asks; never twice at once. */
export class Repeated<Result> {
  readonly #everyMs: number;
  readonly #work: (signal: AbortSignal) => Promise<Result>;
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #lastTurn: Promise<unknown> = Promise.resolve();
  /** The run that has not begun yet. */
  #next: Promise<Result> | null = null;

  /** @param work should end soon after `signal`. */
  constructor(everyMs: number, work: (signal: AbortSignal) => Promise<Result>) {
    this.#everyMs = everyMs;
    this.#work = work;
    this.#wait();
  }

  /** After the run under way, if there is one; whoever asks until then joins. */
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

  /** Resolves when the run under way has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#lastTurn;
  }

  #wait(): void {
    clearTimeout(this.#timer);
    // The work says itself what has failed.
    if (!this.#stopping.signal.aborted) this.#timer = setTimeout(() => this.now().catch(() => {}), this.#everyMs);
  }
}
