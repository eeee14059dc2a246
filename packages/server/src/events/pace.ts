/**
 * How often uploads are read for progress. Finding what is missing of 10,000 parts takes some milliseconds of the loop.
 */

/** The shortest time between two reads of one stream. */
const INTERVAL_MS = 250;
/** All reads of all streams together take at most this fraction (1/n) of the time. */
const SHARE = 20;

export class Pace {
  #freeAtMs = 0;

  /** When a stream that read at `lastMs` may read again; milliseconds of `performance.now()`. */
  nextMs(lastMs: number): number {
    return Math.max(lastMs + INTERVAL_MS, this.#freeAtMs);
  }

  /** Records that one read took `tookMs`. */
  note(tookMs: number): void {
    this.#freeAtMs = Math.max(this.#freeAtMs, performance.now()) + tookMs * (SHARE - 1);
  }
}
