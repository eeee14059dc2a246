/** Work that is done every so often, and whenever somebody asks; never twice at once. */
export class Repeated<Result> {
  readonly #everyMs: number;
  readonly #work: () => Promise<Result>;
  #timer: NodeJS.Timeout | undefined;
  #lastTurn: Promise<unknown> = Promise.resolve();
  #stopped = false;

  constructor(everyMs: number, work: () => Promise<Result>) {
    this.#everyMs = everyMs;
    this.#work = work;
    this.#wait();
  }

  /** After the run under way, if there is one. */
  async now(): Promise<Result> {
    clearTimeout(this.#timer);
    const run = this.#lastTurn.then(this.#work);
    this.#lastTurn = run.then(
      () => this.#wait(),
      () => this.#wait(),
    );
    return await run;
  }

  /** Resolves when the run under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#lastTurn;
  }

  #wait(): void {
    clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = setTimeout(() => void this.now(), this.#everyMs);
  }
}
