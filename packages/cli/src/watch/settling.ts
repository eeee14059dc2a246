/** Finds files that have stopped growing: their size, times and inode are unchanged for long enough. */
import { isSame, type Stamp } from './scan.ts';

interface Seen {
  readonly stamp: Stamp;
  readonly sinceMs: number;
}

export class Settling {
  readonly #settleMs: number;
  #seen = new Map<string, Seen>();

  constructor(settleMs: number) {
    this.#settleMs = settleMs;
  }

  /**
   * @param nowMs time of a clock that does not jump. The file's own times do not count as its age.
   * @returns the settled files, by path.
   */
  observe(present: ReadonlyMap<string, Stamp>, nowMs: number): Map<string, Stamp> {
    const before = this.#seen;
    this.#seen = new Map();
    const settled = new Map<string, Stamp>();
    for (const [path, stamp] of present) {
      const known = before.get(path);
      const seen = known && isSame(known.stamp, stamp) ? known : { stamp, sinceMs: nowMs };
      this.#seen.set(path, seen);
      if (nowMs - seen.sinceMs >= this.#settleMs) settled.set(path, stamp);
    }
    return settled;
  }

  /** The file has changed: it must settle again. */
  forget(path: string): void {
    this.#seen.delete(path);
  }

  /** Files that have been seen. */
  get count(): number {
    return this.#seen.size;
  }
}
