/**
 * Holds every call of the database and the storage until fast-check's scheduler lets it go: one at a time, in an order
 * that a seed repeats.
 */
import { setImmediate } from 'node:timers/promises';
import type { Scheduler } from 'fast-check';

/** Turns of the event loop in which nothing happens: what could run has run. */
const QUIET_TURNS = 2;

export class Gate {
  #scheduler: Scheduler | null = null;
  /** Calls that were let go and have not ended. */
  #underWay = 0;
  /** Changes with everything that happens. */
  #events = 0;

  /** From now on calls wait for the scheduler; null: they do not. */
  use(scheduler: Scheduler | null): void {
    this.#scheduler = scheduler;
  }

  /** @param label of the call, for the report of a failing run. */
  async pass(label: string): Promise<void> {
    this.#events++;
    await this.#scheduler?.schedule(Promise.resolve(), label);
    this.#events++;
  }

  /** Waits before the call and after it, so that its result may come late. */
  async around<Result>(label: string, call: () => Promise<Result>): Promise<Result> {
    await this.pass(label);
    try {
      return await this.count(call);
    } finally {
      await this.pass(`${label} done`);
    }
  }

  /** The call is real work, for whose end the next one waits. */
  async count<Result>(call: () => Promise<Result>): Promise<Result> {
    this.begin();
    try {
      return await call();
    } finally {
      this.end();
    }
  }

  begin(): void {
    this.#underWay++;
  }

  end(): void {
    this.#underWay--;
    this.#events++;
  }

  /** For `fc.scheduler({ act })`: nothing else is under way when the scheduler picks the next call. */
  readonly act = async (next: () => Promise<unknown>): Promise<void> => {
    await this.#quiet();
    await next();
  };

  async #quiet(): Promise<void> {
    let [quiet, before] = [0, this.#events];
    while (quiet < QUIET_TURNS) {
      await setImmediate();
      quiet = this.#underWay === 0 && this.#events === before ? quiet + 1 : 0;
      before = this.#events;
    }
  }
}
