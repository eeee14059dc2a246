/** The sweep on request of an administrator. It may take longer than a client waits for an answer. */
import type { SweepReport, Swept } from '@cryolift/protocol/messages';
import { firstOf } from '../timeout.ts';

/** How long a request waits for the end. */
const WAIT_MS = 20_000;

export class RequestedSweep {
  readonly #sweep: () => Promise<Swept>;
  readonly #now: () => number;
  #running: Promise<Swept> | null = null;
  #report: SweepReport = { status: 'never', started_at: null, ended_at: null, swept: null };

  /** @param now milliseconds since 1970. */
  constructor(sweep: () => Promise<Swept>, now: () => number) {
    this.#sweep = sweep;
    this.#now = now;
  }

  /** Joins a running sweep. @returns its result, or its state when it takes longer. */
  async run(): Promise<{ kind: 'done'; swept: Swept } | { kind: 'running'; report: SweepReport }> {
    this.#running ??= this.#begin().finally(() => {
      this.#running = null;
    });
    const swept = await firstOf(this.#running, WAIT_MS);
    return swept === 'late' ? { kind: 'running', report: this.#report } : { kind: 'done', swept };
  }

  /** The state of the last or the running one. */
  report(): SweepReport {
    return this.#report;
  }

  async #begin(): Promise<Swept> {
    const started_at = this.#time();
    this.#report = { status: 'running', started_at, ended_at: null, swept: null };
    let swept: Swept | null = null;
    try {
      swept = await this.#sweep();
      return swept;
    } finally {
      this.#report = { status: 'done', started_at, ended_at: this.#time(), swept };
    }
  }

  #time(): string {
    return new Date(this.#now()).toISOString();
  }
}
