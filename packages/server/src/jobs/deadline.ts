/** The deadline of a shutdown, shared by all steps. */
import { firstOf } from '../timeout.ts';

interface DeadlineLog {
  warn(fields: Record<string, unknown>, message: string): void;
}

export class Deadline {
  readonly #atMs: number;
  readonly #log: DeadlineLog;
  /** False after a step has not ended in time. */
  isKept = true;

  /** @param ms from now. */
  constructor(ms: number, log: DeadlineLog) {
    this.#atMs = performance.now() + ms;
    this.#log = log;
  }

  /** Waits for `work`, until the deadline at most. A step that fails or does not end is logged by its name. */
  async wait(what: string, work: Promise<unknown>): Promise<void> {
    const settled = work.catch((error: unknown) =>
      this.#log.warn({ what, err: error }, 'a step of the shutdown failed'),
    );
    if ((await firstOf(settled, Math.max(0, this.#atMs - performance.now()))) !== 'late') return;
    this.isKept = false;
    this.#log.warn({ what }, 'a step of the shutdown did not end in time; the next start finishes it');
  }
}
