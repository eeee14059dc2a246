/** The rate is measured over this time, so that it follows the network. */
const WINDOW_MS = 10_000;
/** Earlier samples replace the last one, so that their number is bounded. */
const MIN_SAMPLE_MS = 200;

/** Bytes per second over the last seconds. */
export class Rate {
  readonly #samples: { ms: number; bytes: number }[] = [];
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** @param bytes the total since the start. */
  note(bytes: number): void {
    const ms = this.#now();
    const last = this.#samples.at(-1);
    if (last && this.#samples.length > 1 && ms - last.ms < MIN_SAMPLE_MS) last.bytes = bytes;
    else this.#samples.push({ ms, bytes });
  }

  get bytesPerSecond(): number {
    const ms = this.#now();
    while ((this.#samples[1]?.ms ?? ms) < ms - WINDOW_MS) this.#samples.shift();
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (!first || !last || ms - first.ms < MIN_SAMPLE_MS) return 0;
    return Math.max(0, ((last.bytes - first.bytes) * 1000) / (ms - first.ms));
  }
}
