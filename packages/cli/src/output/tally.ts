/** What many uploads amount to: for the total under the bars, and for the summary at the end. */

/** Bytes, and failures that were waited out, of one upload or of many. */
export interface Figures {
  /** Acknowledged by the server. */
  readonly storedBytes: number;
  /** Of these, there before this run. */
  readonly resumedBytes: number;
  /** Handed to the network in this run, what was sent twice included. */
  readonly sentBytes: number;
  readonly retries: number;
}

export const NOTHING: Figures = { storedBytes: 0, resumedBytes: 0, sentBytes: 0, retries: 0 };

export class Tally {
  readonly files: number;
  readonly bytes: number;
  done = 0;
  failed = 0;
  /** Files that an earlier run got there. */
  already = 0;
  #sum: Figures = NOTHING;
  readonly #beginMs = performance.now();

  /** @param bytes of all `files` together. */
  constructor(files: number, bytes: number) {
    this.files = files;
    this.bytes = bytes;
  }

  get sum(): Figures {
    return this.#sum;
  }

  /** Bytes that got there in this run. */
  get movedBytes(): number {
    return this.#sum.storedBytes - this.#sum.resumedBytes;
  }

  get seconds(): number {
    return Math.round(performance.now() - this.#beginMs) / 1000;
  }

  /** One more upload. @returns where to tell how far it is. */
  follow(): (now: Figures) => void {
    let before = NOTHING;
    return (now) => {
      this.#sum = add(this.#sum, now, before);
      before = now;
    };
  }
}

function add(sum: Figures, now: Figures, before: Figures): Figures {
  return {
    storedBytes: sum.storedBytes + now.storedBytes - before.storedBytes,
    resumedBytes: sum.resumedBytes + now.resumedBytes - before.resumedBytes,
    sentBytes: sum.sentBytes + now.sentBytes - before.sentBytes,
    retries: sum.retries + now.retries - before.retries,
  };
}
