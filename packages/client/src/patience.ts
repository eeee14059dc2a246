/** How long to go on trying: exponential back-off with full jitter, for as long as some progress comes now and then. */
import { ConnectionError, ServerError } from './failures.ts';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

/** True when the same request can succeed later, or nobody knows what became of it. */
export function isPassing(error: unknown): boolean {
  return error instanceof ConnectionError || (error instanceof ServerError && error.retryable);
}

export class Patience {
  readonly #patienceMs: number;
  #failures = 0;
  #lastProgressMs = performance.now();

  /** @param patienceMs without any progress for this long, the next failure is final. */
  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  /** Failures that were waited out. */
  retries = 0;

  noteProgress(): void {
    this.#failures = 0;
    this.#lastProgressMs = performance.now();
  }

  /**
   * Waits before the next try, as long as Retry-After says at the least.
   *
   * @throws `error` itself when it is final or patience is over; the signal's reason when it is aborted meanwhile.
   */
  async wait(error: unknown, signal: AbortSignal | undefined): Promise<void> {
    const over = performance.now() - this.#lastProgressMs > this.#patienceMs;
    if (!isPassing(error) || over) throw error;
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures);
    const asked = error instanceof ServerError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
    this.#failures++;
    this.retries++;
    await sleep(asked + Math.random() * longest, signal);
  }
}

/** @throws the signal's reason when it is aborted. */
export async function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const onAbort = () => reject(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}
