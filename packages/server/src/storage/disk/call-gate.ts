/**
 * Limits the calls of the file system that are under way: each holds a thread of libuv's pool until the disk has
 * answered. With a disk that does not answer, all threads would wait for it, and with them what needs a thread and no
 * disk: the signatures of tokens, names of hosts.
 */

/** Two fewer than the threads that `bin/cryolift.js` gives a server (UV_THREADPOOL_SIZE). */
const MAX_CALLS = 4;

export class CallGate {
  readonly #maxCalls: number;
  #calls = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(maxCalls = MAX_CALLS) {
    this.#maxCalls = maxCalls;
  }

  /** Makes the call, at once or when an earlier one has ended. Calls begin in the order of `run`. */
  async run<Result>(call: () => Promise<Result>): Promise<Result> {
    if (this.#calls < this.#maxCalls) this.#calls++;
    // The call that ends gives its place to this one.
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await call();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#calls--;
    }
  }
}

/** Of the process: all storages share the threads. */
export const diskCalls = new CallGate();
