/** Repeats the calls of one upload, and reports the error after which it waits. */

import type { Transport } from '../ports.ts';
import type { UploadProgress } from '../upload/upload-progress.ts';
import type { PartWindow } from './part-window.ts';
import type { RetryPolicy } from './retry-policy.ts';

export class RetryLoop {
  readonly #transport: Transport;
  readonly #partWindow: PartWindow;
  readonly #retryPolicy: RetryPolicy;
  readonly #progress: UploadProgress;

  constructor(transport: Transport, partWindow: PartWindow, retryPolicy: RetryPolicy, progress: UploadProgress) {
    this.#transport = transport;
    this.#partWindow = partWindow;
    this.#retryPolicy = retryPolicy;
    this.#progress = progress;
  }

  /** Repeats a call that is safe to repeat. @throws as RetryPolicy does. */
  async retry<Result>(call: () => Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
    const waitOut = this.begin();
    for (;;) {
      signal?.throwIfAborted();
      const startedMs = performance.now();
      try {
        const result = await call();
        this.#partWindow.noteCall(performance.now() - startedMs);
        this.#retryPolicy.noteReply();
        this.#progress.noteError(null);
        return result;
      } catch (error) {
        signal?.throwIfAborted();
        await waitOut(error, signal);
      }
    }
  }

  /** @returns a function that reports the error and waits before the next attempt. */
  begin(): (error: unknown, signal: AbortSignal | undefined) => Promise<void> {
    const wait = this.#retryPolicy.begin(this.#transport.whenOnline?.bind(this.#transport));
    return async (error, signal) => {
      await wait(error, signal, () => this.#progress.noteError(error));
    };
  }

  /** Earlier failures are resolved. */
  noteProgress(): void {
    this.#progress.noteError(null);
    this.#retryPolicy.noteProgress();
  }
}
