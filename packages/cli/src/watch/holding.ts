/** Waits after failures of a watch. */

/** What fails is tried again after this long, doubling up to the longest. */
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 10 * 60_000;

/** @param times that it has failed in a row, from 1. */
export function pauseAfter(times: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (times - 1));
}

/** Holds all files back when not a file has failed, but the way to the server: each of them would fail as well. */
export class Holding {
  #times = 0;
  #untilMs = 0;

  get isHeld(): boolean {
    return performance.now() < this.#untilMs;
  }

  /** Files that fail together are one failure. */
  noteFailure(): void {
    if (!this.isHeld) this.#untilMs = performance.now() + pauseAfter(++this.#times);
  }

  noteSuccess(): void {
    this.#times = 0;
    this.#untilMs = 0;
  }
}
