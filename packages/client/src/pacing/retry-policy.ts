/** Decides how long to retry: exponential back-off with full jitter, while there is progress. */
import { ConnectionError, ForeignReplyError, ServerError } from '../failures.ts';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** Retries end after this time without progress when the server was never reached, or fails repeatedly. */
const RETRY_FOR_MS = 15 * 60_000;
/**
 * Retries last this long when a server became unreachable, is overloaded or has a full disk, so that it can be repaired
 * after a night.
 */
const LONG_RETRY_FOR_MS = 12 * 60 * 60_000;
/** A timer with a longer delay fires immediately. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const ASKS_TO_WAIT = [429, 503, 507];

/** An answer that does not come from Cryolift may have been damaged in transit. A repeated one is final. */
const MAX_FOREIGN = 2;

/** True when the same request can succeed later, or its result is unknown. A refused token was already renewed. */
function isPassing(error: unknown, foreignReplies: number, maxForeign: number): boolean {
  if (error instanceof ForeignReplyError) return foreignReplies <= maxForeign;
  return error instanceof ConnectionError || (error instanceof ServerError && error.retryable && error.status !== 401);
}

/** @param onWait is called before the wait when the failure is retried. */
type WaitOut = (error: unknown, signal?: AbortSignal, onWait?: () => void) => Promise<void>;

export class RetryPolicy {
  readonly #retryForMs: number | undefined;
  readonly #maxForeign: number;
  #progressCount = 0;
  /** Counted from a failure, not from the last progress: the sleep of a machine does not count. */
  #failingSinceMs: number | null = null;
  #reached = false;
  /** Resolves with the next progress. */
  #progress = Promise.withResolvers<void>();

  /**
   * @param retryForMs when given, an error is final this long after the first error without progress since. With
   * Infinity, answers that do not come from a Cryolift server, such as a sign-in page, are retried too.
   */
  constructor(retryForMs?: number) {
    this.#retryForMs = retryForMs;
    this.#maxForeign = retryForMs === Number.POSITIVE_INFINITY ? retryForMs : MAX_FOREIGN;
  }

  /** Number of retries. */
  retries = 0;

  noteProgress(): void {
    this.#progressCount++;
    this.#failingSinceMs = null;
    this.#reached = true;
    this.#progress.resolve();
    this.#progress = Promise.withResolvers();
  }

  /** The server answered, with success or an error. */
  noteReply(): void {
    this.#reached = true;
  }

  /**
   * Starts a call and its repetitions. The returned function waits before the next one: longer after each error in a
   * row, and at least as long as Retry-After says. Beyond Retry-After it waits no longer than until other calls make
   * progress. It throws the error itself when it is final or the time is over, and the signal's reason when that is
   * aborted.
   *
   * @param whenOnline resolves when the network may be back; a wait for it ends then.
   */
  begin(whenOnline?: (signal: AbortSignal) => Promise<void>): WaitOut {
    let failures = 0;
    let foreignReplies = 0;
    let progressCount = this.#progressCount;
    return async (error, signal, onWait) => {
      if (error instanceof ServerError) this.#reached = true;
      const nowMs = performance.now();
      this.#failingSinceMs ??= nowMs;
      if (progressCount !== this.#progressCount) failures = foreignReplies = 0;
      progressCount = this.#progressCount;
      if (error instanceof ForeignReplyError) foreignReplies++;
      const asked = error instanceof ServerError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
      // A wait that would end after the time is over is not started.
      const leftMs = this.#retryTimeFor(error) - (nowMs - this.#failingSinceMs);
      if (!isPassing(error, foreignReplies, this.#maxForeign) || leftMs < asked) throw error;
      const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures);
      failures++;
      this.retries++;
      onWait?.();
      const online = error instanceof ConnectionError && error.offline ? whenOnline : undefined;
      if (asked > 0) await sleep(asked, signal);
      await sleep(Math.random() * longest, signal, async (over) => {
        await Promise.race([this.#progress.promise, ...(online ? [online(over)] : [])]);
      });
    };
  }

  /**
   * Repeats a call that is safe to repeat, while its error is temporary.
   *
   * @param onRetry is called with each error before the wait, not with the final one.
   * @throws as the function that `begin` returns.
   */
  async retry<Result>(
    call: () => Promise<Result>,
    signal?: AbortSignal,
    onRetry?: (error: unknown) => void,
  ): Promise<Result> {
    const waitOut = this.begin();
    for (;;) {
      signal?.throwIfAborted();
      try {
        return await call();
      } catch (error) {
        signal?.throwIfAborted();
        await waitOut(error, signal, () => onRetry?.(error));
      }
    }
  }

  #retryTimeFor(error: unknown): number {
    if (this.#retryForMs !== undefined) return this.#retryForMs;
    if (error instanceof ServerError) return ASKS_TO_WAIT.includes(error.status) ? LONG_RETRY_FOR_MS : RETRY_FOR_MS;
    // A name that never resolved may be wrong.
    const isOffline = error instanceof ConnectionError && error.offline && (this.#reached || !error.nameUnknown);
    if (isOffline) return Number.POSITIVE_INFINITY;
    return this.#reached ? LONG_RETRY_FOR_MS : RETRY_FOR_MS;
  }
}

/** @param until ends the wait early. @throws the signal's reason when it is aborted. */
export async function sleep(
  ms: number,
  signal: AbortSignal | undefined,
  until?: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let leftMs = ms;
  const begin = () => {
    const spanMs = Math.min(leftMs, LONGEST_TIMER_MS);
    leftMs -= spanMs;
    timer = setTimeout(leftMs > 0 ? begin : resolve, spanMs);
  };
  begin();
  const onAbort = () => reject(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  const over = new AbortController();
  until?.(over.signal).then(resolve, () => {});
  try {
    await promise;
  } finally {
    over.abort();
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

/** @throws the signal's reason as soon as it is aborted, also when the result never comes. */
export async function orAborted<Result>(result: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (!signal) return await result;
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, result]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
