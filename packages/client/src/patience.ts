/** How long to go on trying: exponential back-off with full jitter, for as long as some progress comes now and then. */
import { ConnectionError, ServerError } from './failures.ts';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

/** True when the same request can succeed later, or nobody knows what became of it. A token was renewed already. */
function isPassing(error: unknown): boolean {
  return error instanceof ConnectionError || (error instanceof ServerError && error.retryable && error.status !== 401);
}

export class Patience {
  readonly #patienceMs: number;
  #failures = 0;
  /** Counted from a failure, not from the progress before it: a machine that slept has not been failing. */
  #failingSinceMs: number | null = null;

  /** @param patienceMs this long after the first failure without any progress since, the next one is final. */
  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  /** Failures that were waited out. */
  retries = 0;

  noteProgress(): void {
    this.#failures = 0;
    this.#failingSinceMs = null;
  }

  /**
   * Waits before the next try, as long as Retry-After says at the least.
   *
   * @throws `error` itself when it is final or patience is over; the signal's reason when it is aborted meanwhile.
   */
  async wait(error: unknown, signal: AbortSignal | undefined): Promise<void> {
    const nowMs = performance.now();
    this.#failingSinceMs ??= nowMs;
    if (!isPassing(error) || nowMs - this.#failingSinceMs > this.#patienceMs) throw error;
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
