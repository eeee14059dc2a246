/** A picture that is being drawn or waits for its turn, shared by all requests for it. */

/** How long a picture is drawn on for clients that were asked to repeat the request. */
const HOLD_MS = 10_000;

export class SharedRender<T> {
  readonly #controller = new AbortController();
  readonly #result: Promise<T>;
  #waiting = 0;
  #heldUntilMs = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param draw rejects soon after its signal. */
  constructor(draw: (signal: AbortSignal) => Promise<T>) {
    this.#result = draw(this.#controller.signal).finally(() => clearTimeout(this.#timer));
    // No caller may be waiting when it fails.
    this.#result.catch(() => {});
  }

  /** True when it was cancelled. */
  get isCancelled(): boolean {
    return this.#controller.signal.aborted;
  }

  /**
   * Waits for the picture, until `signal` (its reason is thrown), or `ms` have passed. A client that got 'late' may
   * repeat the request. Without waiting or returning clients the drawing is cancelled.
   */
  async wait(signal: AbortSignal, ms: number): Promise<T | 'late'> {
    const { promise, resolve, reject } = Promise.withResolvers<'late'>();
    const timer = setTimeout(() => resolve('late'), ms);
    const leave = () => reject(signal.reason);
    signal.addEventListener('abort', leave);
    if (signal.aborted) leave();
    this.#waiting++;
    try {
      const found = await Promise.race([this.#result, promise]);
      if (found === 'late') this.#heldUntilMs = performance.now() + HOLD_MS;
      return found;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', leave);
      this.#waiting--;
      this.#cancelIfUnwanted();
    }
  }

  #cancelIfUnwanted(): void {
    if (this.#waiting > 0) return;
    const leftMs = this.#heldUntilMs - performance.now();
    clearTimeout(this.#timer);
    if (leftMs <= 0) this.#controller.abort(new Error('No request waits for this picture any more.'));
    else this.#timer = setTimeout(() => this.#cancelIfUnwanted(), leftMs).unref();
  }
}
