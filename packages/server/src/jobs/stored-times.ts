/** After each start, and after each jump of the clock: corrects the times that a clock that was ahead has stored. */
import type { Database } from '../db/database.ts';
import { correctAges, correctDueTimes } from '../db/stored-times.ts';
import type { Clock } from '../uploads/clock.ts';

export class StoredTimes {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #ttlMs: number;
  readonly #maxDeliveryWaitMs: number;
  /** The count of jumps up to which due times, and ages, are corrected. The start is the first. */
  #dueAfter = 0;
  #agesAfter = 0;

  /** @param maxDeliveryWaitMs the longest wait of the webhook. */
  constructor(db: Database, clock: Clock, ttlMs: number, maxDeliveryWaitMs: number) {
    this.#db = db;
    this.#clock = clock;
    this.#ttlMs = ttlMs;
    this.#maxDeliveryWaitMs = maxDeliveryWaitMs;
  }

  /** A failure is repeated at the next call. @returns true when work may be due now. */
  async correct(): Promise<boolean> {
    const nowMs = this.#clock.now();
    const { jumps } = this.#clock;
    const isNew = this.#dueAfter !== jumps;
    // An attempt that is too early is harmless.
    if (isNew) {
      await correctDueTimes(this.#db, nowMs, this.#maxDeliveryWaitMs);
      this.#dueAfter = jumps;
    }
    // An age that is too high is not: the clock may be wrong now and corrected soon.
    if (this.#agesAfter !== jumps && this.#clock.isSettled()) {
      await correctAges(this.#db, this.#clock.now(), this.#ttlMs);
      this.#agesAfter = jumps;
    }
    return isNew;
  }
}
