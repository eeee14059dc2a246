/** Waits after failures of a watch. */

/** Delay before the first repetition. It doubles up to the longest delay. */
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 10 * 60_000;

/** @param times number of failures in a row, from 1. */
export function pauseAfter(times: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (times - 1));
}

/** Delays all files after a failure of the connection or the token, which affects every file. */
export class Holding {
  #times = 0;
  #untilMs = 0;

  get isHeld(): boolean {
    return performance.now() < this.#untilMs;
  }

  /** Files that fail at the same time count as one failure. */
  noteFailure(): void {
    if (!this.isHeld) this.#untilMs = performance.now() + pauseAfter(++this.#times);
  }

  noteSuccess(): void {
    this.#times = 0;
    this.#untilMs = 0;
  }
}
