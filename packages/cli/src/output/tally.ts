/** The totals of many uploads, for the total under the bars and for the summary. */

/** Bytes and repeated requests of one upload or of many. */
export interface Figures {
  /** Acknowledged by the server. */
  readonly storedBytes: number;
  /** Bytes of `storedBytes` that were stored before this run. */
  readonly resumedBytes: number;
  /** Bytes given to the network in this run, including those that were sent twice. */
  readonly sentBytes: number;
  /** Bytes of the files that compression has saved. */
  readonly savedBytes: number;
  readonly retries: number;
}

export const NOTHING: Figures = { storedBytes: 0, resumedBytes: 0, sentBytes: 0, savedBytes: 0, retries: 0 };

export class Tally {
  readonly files: number;
  readonly bytes: number;
  done = 0;
  failed = 0;
  /** Files that an earlier run uploaded. */
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

  /** Bytes of the files that were sent in this run, compressed or not. */
  get passedBytes(): number {
    return this.#sum.sentBytes + this.#sum.savedBytes;
  }

  /** Bytes uploaded in this run. */
  get movedBytes(): number {
    return this.#sum.storedBytes - this.#sum.resumedBytes;
  }

  get seconds(): number {
    return Math.round(performance.now() - this.#beginMs) / 1000;
  }

  /** Adds an upload. @returns a function that receives its progress. */
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
    savedBytes: sum.savedBytes + now.savedBytes - before.savedBytes,
    retries: sum.retries + now.retries - before.retries,
  };
}
