/** The faults so far: an error that a client ends with is explained when one of them was there meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';

/** A client may notice a fault so long after it is over: a connection that hangs, a pause before it tries again. */
const FELT_MS = 90_000;
const CALM_MS = 120_000;

export interface Mark {
  readonly atMs: number;
}

export class Disturbances {
  /** How many are there now that last for a while. */
  #lasting = 0;
  #lastMs = Number.NEGATIVE_INFINITY;

  mark(): Mark {
    return { atMs: performance.now() };
  }

  /** Whether one was there since then, or so shortly before that it could still be felt. */
  any({ atMs }: Mark): boolean {
    return this.#lasting > 0 || this.#lastMs >= atMs - FELT_MS;
  }

  /** One that is over at once. */
  strike(): void {
    this.#lastMs = performance.now();
  }

  /** One that lasts as long as `work`. */
  async during<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#lasting++;
    try {
      return await work();
    } finally {
      this.#lasting--;
      this.strike();
    }
  }

  /** Resolves when none lasts any more, or after a while. */
  async calm(): Promise<void> {
    for (const deadlineMs = performance.now() + CALM_MS; this.#lasting > 0 && performance.now() < deadlineMs; ) {
      await sleep(100);
    }
  }
}
