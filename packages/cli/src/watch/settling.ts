/** Which files have stopped growing: seen with the same size, times and inode for long enough. */
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
   * @param nowMs of a clock that does not jump: what a file's own times say about its age is not asked.
   * @returns the files that have settled, by path; every time anew.
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

  /** It was found to change: it has to settle anew. */
  forget(path: string): void {
    this.#seen.delete(path);
  }

  /** Files that have been seen. */
  get count(): number {
    return this.#seen.size;
  }
}
