/** How often sessions are read for progress. Finding what is missing of 10,000 parts takes some milliseconds of the loop. */

/** Between two looks of one stream. */
const INTERVAL_MS = 250;
/** All looks of all streams together take at most one part in this many of the time. */
const SHARE = 20;

export class Pace {
  #freeAtMs = 0;

  /** When a stream that looked at `lastMs` may look again; milliseconds of `performance.now()`. */
  nextMs(lastMs: number): number {
    return Math.max(lastMs + INTERVAL_MS, this.#freeAtMs);
  }

  /** One session was looked at, for `tookMs`. */
  note(tookMs: number): void {
    this.#freeAtMs = Math.max(this.#freeAtMs, performance.now()) + tookMs * (SHARE - 1);
  }
}
