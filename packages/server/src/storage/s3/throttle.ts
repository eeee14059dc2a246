/**
 * Holds back parts while the service asks for fewer requests (503 SlowDown). The body of a part cannot be sent twice, so
 * that the client library's own retries do not cover it: the next parts wait before they are started.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { UploadError } from '@cryolift/protocol/errors';

const FIRST_MS = 500;
const LONGEST_MS = 20_000;
/** A sender waits for so long, at most, before it is asked to come again. */
const WAIT_MS = 5_000;

export class Throttle {
  readonly #nowMs: () => number;
  #pauseMs = 0;
  /** On the steady clock. */
  #openAtMs = 0;

  /** @param nowMs a steady clock, in milliseconds. */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** The service has refused a request. Several refusals within one pause count once. */
  noteRefused(): void {
    const now = this.#nowMs();
    if (now < this.#openAtMs) return;
    this.#pauseMs = Math.min(LONGEST_MS, Math.max(FIRST_MS, 2 * this.#pauseMs));
    // Servers that were refused at the same moment do not come back at the same moment.
    this.#openAtMs = now + this.#pauseMs * (0.75 + Math.random() / 2);
  }

  /** The service has taken a request. */
  noteTaken(): void {
    if (this.#nowMs() >= this.#openAtMs) this.#pauseMs /= 2;
  }

  /** @throws UploadError `overloaded` when the pause is longer than a sender waits. */
  async wait(): Promise<void> {
    const waitMs = this.#openAtMs - this.#nowMs();
    if (waitMs <= 0) return;
    if (waitMs > WAIT_MS) {
      throw new UploadError('overloaded', 'The object storage asks for fewer requests.', {
        retryAfterSeconds: Math.ceil(waitMs / 1000),
      });
    }
    await delay(waitMs);
  }
}
