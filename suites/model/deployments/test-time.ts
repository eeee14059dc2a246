/** The time of all servers of a site, which stands still until a test moves it. */
import { Clock } from '../../../packages/server/src/uploads/clock.ts';

export class TestTime {
  #wallMs = Date.now();
  #steadyMs = 1_000_000;
  readonly #clocks = new Map<number, Clock>();

  /** Milliseconds since 1970. */
  get wallMs(): number {
    return this.#wallMs;
  }

  /** Milliseconds of a clock that nobody sets. */
  get steadyMs(): number {
    return this.#steadyMs;
  }

  /** The clock of a server that starts. @param ttlMs lifetime of an upload. */
  startClock(server: number, ttlMs: number): Clock {
    const clock = new Clock(
      ttlMs,
      () => {},
      () => this.#wallMs,
      () => this.#steadyMs,
    );
    this.#clocks.set(server, clock);
    return clock;
  }

  pass(ms: number): void {
    this.#steadyMs += ms;
    this.jump(ms);
  }

  /** The wall clock alone is set. @param ms below 0: back. */
  jump(ms: number): void {
    this.#wallMs += ms;
    // As a server does that answers requests all the time.
    for (const clock of this.#clocks.values()) clock.now();
  }
}
