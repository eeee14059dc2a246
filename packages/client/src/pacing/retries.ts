/** Repeats the calls of one upload, and says what is waited out. */

import type { Transport } from '../ports.ts';
import type { RunProgress } from '../upload/upload-progress.ts';
import type { Flight } from './part-window.ts';
import type { Patience } from './retry-policy.ts';

export class Tries {
  readonly #transport: Transport;
  readonly #flight: Flight;
  readonly #patience: Patience;
  readonly #progress: RunProgress;

  constructor(transport: Transport, flight: Flight, patience: Patience, progress: RunProgress) {
    this.#transport = transport;
    this.#flight = flight;
    this.#patience = patience;
    this.#progress = progress;
  }

  /** Repeats a call that is safe to repeat. @throws as Patience does. */
  async retry<Result>(call: () => Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
    const waitOut = this.begin();
    for (;;) {
      signal?.throwIfAborted();
      const beganMs = performance.now();
      try {
        const result = await call();
        this.#flight.noteCall(performance.now() - beganMs);
        this.#patience.noteReply();
        this.#progress.noteTrouble(null);
        return result;
      } catch (error) {
        signal?.throwIfAborted();
        await waitOut(error, signal);
      }
    }
  }

  /** @returns what says the trouble, and waits before the next try. */
  begin(): (error: unknown, signal: AbortSignal | undefined) => Promise<void> {
    const wait = this.#patience.begin(this.#transport.whenOnline?.bind(this.#transport));
    return async (error, signal) => {
      await wait(error, signal, () => this.#progress.noteTrouble(error));
    };
  }

  /** What failed on the way to here is mended. */
  noteProgress(): void {
    this.#progress.noteTrouble(null);
    this.#patience.noteProgress();
  }
}
