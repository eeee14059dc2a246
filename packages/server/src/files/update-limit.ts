/**
 * Bounds how often an account changes metadata: each change is an event, which is stored for days and sent to the
 * webhook.
 */
import { UploadError } from '@cryolift/protocol/errors';
import { LRUCache } from 'lru-cache';

/** The burst; one more change is allowed for each `REFILL_MS`. */
const BURST = 10_000;
const REFILL_MS = 500;
const MAX_ACCOUNTS = 10_000;

export class UpdateLimit {
  readonly #left = new LRUCache<string, { count: number; atMs: number }>({ max: MAX_ACCOUNTS });
  readonly #nowMs: () => number;

  /** @param nowMs a monotonic clock, in milliseconds. */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** Counts one change. @throws UploadError `rate_limited`. */
  take(account: string): void {
    const atMs = this.#nowMs();
    const before = this.#left.get(account) ?? { count: BURST, atMs };
    const count = Math.min(BURST, before.count + (atMs - before.atMs) / REFILL_MS);
    if (count < 1) {
      throw new UploadError('rate_limited', `Metadata was changed more than ${BURST} times in a short time.`, {
        retryAfterSeconds: Math.ceil(((1 - count) * REFILL_MS) / 1000),
      });
    }
    this.#left.set(account, { count: count - 1, atMs });
  }
}
