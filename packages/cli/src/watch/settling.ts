/**
 * Finds files that have stopped growing: their size, times and inode are unchanged for long enough, and no other program
 * holds them.
 */
import { isSame, type Stamp } from './scan.ts';

/** Pause before a held file is tried again. */
const HELD_PAUSE_MS = 2_000;

interface Observed {
  readonly stamp: Stamp;
  readonly sinceMs: number;
  /** When another program held the file the last time; null: it was not seen held. */
  readonly heldMs: number | null;
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
      const heldMs = known?.heldMs ?? null;
      const current = known && isSame(known.stamp, stamp) ? known : { stamp, sinceMs: nowMs, heldMs };
      this.#observed.set(path, current);
      const isPaused = heldMs !== null && nowMs - heldMs < HELD_PAUSE_MS;
      if (isPaused) continue;
      if (nowMs - current.sinceMs >= this.#settleMs) settled.set(path, stamp);
    }
    return settled;
  }

  /** Forgets a changed file: it must settle again. */
  forget(path: string): void {
    this.#observed.delete(path);
  }

  /**
   * Another program holds the file: it has not settled.
   *
   * @param nowMs as for `observe`.
   * @returns true the first time since the file was seen.
   */
  noteHeld(path: string, nowMs: number): boolean {
    const known = this.#observed.get(path);
    if (!known) return false;
    this.#observed.set(path, { ...known, heldMs: nowMs });
    return known.heldMs === null;
  }

  /** Number of known files. */
  get count(): number {
    return this.#observed.size;
  }
}
