/** The wall clock, compared with the monotonic clock of the system: a jump must not end open uploads. */

/** The longest time after a start or a jump in which nothing ends by its age. */
const GRACE_MS = 3_600_000;
/** A change of at least this much at once is a jump; slow corrections are not. */
const JUMP_MS = 60_000;

export class Clock {
  readonly #graceMs: number;
  readonly #onJump: (byMs: number) => void;
  readonly #wall: () => number;
  readonly #steady: () => number;
  /** The difference of the wall clock and the monotonic clock at the last read. */
  #offsetMs: number;
  /** By the monotonic clock. */
  #settledAtMs: number;
  #jumps = 1;

  /**
   * @param ttlMs the shortest lifetime of anything. @param onJump is called with the difference; negative: set back.
   * @param wall milliseconds since 1970. @param steady milliseconds of a monotonic clock.
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
    // No client could send during the stop of the server, and its clock may have been set meanwhile.
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

  /** The number of detected jumps. The start counts as one. */
  get jumps(): number {
    return this.#jumps;
  }

  /** False for some time after a start and after a jump: nothing may end by its age then. */
  readonly isSettled = (): boolean => {
    this.now();
    return this.#steady() >= this.#settledAtMs;
  };
}
