/** The wall clock, watched by the steady clock of the system: one that jumps must not end what is under way. */

/** What ends by age is spared for so long, at most, after a start and after a jump. */
const GRACE_MS = 3_600_000;
/** Set by this much at once, it has jumped; slow corrections are no jump. */
const JUMP_MS = 60_000;

export class Clock {
  readonly #graceMs: number;
  readonly #onJump: (byMs: number) => void;
  readonly #wall: () => number;
  readonly #steady: () => number;
  /** By how much the wall clock was ahead of the steady one when it was last read. */
  #offsetMs: number;
  /** On the steady clock. */
  #settledAtMs: number;
  #jumps = 1;

  /**
   * @param ttlMs the shortest time after which something ends by age. @param onJump is told by how much the clock was set, less than 0: back.
   * @param wall milliseconds since 1970. @param steady milliseconds since any moment; never set.
   */
  constructor(
    ttlMs: number,
    onJump: (byMs: number) => void,
    wall: () => number = Date.now,
    steady: () => number = () => performance.now(),
  ) {
    this.#graceMs = Math.min(ttlMs, GRACE_MS);
    this.#onJump = onJump;
    this.#wall = wall;
    this.#steady = steady;
    this.#offsetMs = wall() - steady();
    // Nobody could send anything while the server was away, and its clock may have been set meanwhile.
    this.#settledAtMs = steady() + this.#graceMs;
  }

  /** Milliseconds since 1970. */
  readonly now = (): number => {
    const wallMs = this.#wall();
    const steadyMs = this.#steady();
    const offsetMs = wallMs - steadyMs;
    const byMs = offsetMs - this.#offsetMs;
    this.#offsetMs = offsetMs;
    if (Math.abs(byMs) >= Math.min(JUMP_MS, this.#graceMs / 2)) {
      this.#settledAtMs = steadyMs + this.#graceMs;
      this.#jumps++;
      this.#onJump(byMs);
    }
    return wallMs;
  };

  /** How often the clock has jumped, as far as it was read. The start counts. */
  get jumps(): number {
    return this.#jumps;
  }

  /** False for a while after a start and after a jump: nothing may end by its age then. */
  readonly isSettled = (): boolean => {
    this.now();
    return this.#steady() >= this.#settledAtMs;
  };
}
