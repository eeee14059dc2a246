/**
 * The time of all servers on one database: that of the database. The clocks of servers differ, and what one of them writes
 * (when an upload expires, a job is due, a lease of a job ends) others compare with their own time. Between two questions
 * the monotonic clock of this system goes on, so that a change of its wall clock changes nothing.
 */

/** How often the database is asked. */
const ASK_MS = 10_000;
/** An answer that took longer says little of now. */
const SLOWEST_MS = 1_000;
/** Smaller differences are left as they are, so that times do not go to and fro with the round trips. */
const TOLERANCE_MS = 250;
/** Of the clock of this system, by which its log and its certificates are dated. */
const REPORTED_MS = 5_000;

interface TimeLog {
  warn(fields: Record<string, unknown>, message: string): void;
}

export class SharedTime {
  readonly #ask: () => Promise<number>;
  readonly #steady: () => number;
  readonly #log: TimeLog;
  readonly #timer: NodeJS.Timeout;
  /** The difference of the clock of the database and the monotonic clock. */
  #offsetMs: number;

  private constructor(ask: () => Promise<number>, log: TimeLog, steady: () => number, askMs: number, offsetMs: number) {
    this.#ask = ask;
    this.#steady = steady;
    this.#log = log;
    this.#offsetMs = offsetMs;
    this.#timer = setInterval(() => void this.#follow(), askMs).unref();
  }

  /**
   * @param ask milliseconds since 1970, by the clock of the database. @param steady milliseconds of a monotonic clock.
   * @throws what `ask` throws.
   */
  static async open(
    ask: () => Promise<number>,
    log: TimeLog,
    { steady = () => performance.now(), askMs = ASK_MS } = {},
  ): Promise<SharedTime> {
    const { offsetMs } = await compare(ask, steady);
    const aheadMs = Date.now() - (steady() + offsetMs);
    if (Math.abs(aheadMs) > REPORTED_MS) {
      const fields = { ahead_seconds: Math.round(aheadMs / 1000) };
      log.warn(fields, 'the clock of this system is not that of the database, by which all servers go');
    }
    return new SharedTime(ask, log, steady, askMs, offsetMs);
  }

  /** Milliseconds since 1970. */
  readonly now = (): number => Math.floor(this.#steady() + this.#offsetMs);

  stop(): void {
    clearInterval(this.#timer);
  }

  async #follow(): Promise<void> {
    try {
      const { offsetMs, tookMs } = await compare(this.#ask, this.#steady);
      const isOff = Math.abs(offsetMs - this.#offsetMs) > TOLERANCE_MS + tookMs / 2;
      if (tookMs <= SLOWEST_MS && isOff) this.#offsetMs = offsetMs;
    } catch (error) {
      this.#log.warn({ err: error }, 'the database was not asked for its time; the clock goes on');
    }
  }
}

/** The answer was made in the middle of the time that it took. */
async function compare(ask: () => Promise<number>, steady: () => number) {
  const askedMs = steady();
  const theirMs = await ask();
  const tookMs = steady() - askedMs;
  return { offsetMs: theirMs - (askedMs + tookMs / 2), tookMs };
}
