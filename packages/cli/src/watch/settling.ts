/** Finds files that have stopped growing: their size, times and inode are unchanged for long enough. */
import { isSame, type Stamp } from './scan.ts';

interface Observed {
  readonly stamp: Stamp;
  readonly sinceMs: number;
}

export class Settling {
  readonly #settleMs: number;
  #observed = new Map<string, Observed>();

  constructor(settleMs: number) {
    this.#settleMs = settleMs;
  }

  /**
   * @param nowMs time of a monotonic clock. The times of the file are not used as its age.
   * @returns the settled files, by path.
   */
  observe(present: ReadonlyMap<string, Stamp>, nowMs: number): Map<string, Stamp> {
    const before = this.#observed;
    this.#observed = new Map();
    const settled = new Map<string, Stamp>();
    for (const [path, stamp] of present) {
      const known = before.get(path);
      const current = known && isSame(known.stamp, stamp) ? known : { stamp, sinceMs: nowMs };
      this.#observed.set(path, current);
      if (nowMs - current.sinceMs >= this.#settleMs) settled.set(path, stamp);
    }
    return settled;
  }

  /** Forgets a changed file: it must settle again. */
  forget(path: string): void {
    this.#observed.delete(path);
  }

  /** Number of known files. */
  get count(): number {
    return this.#observed.size;
  }
}
