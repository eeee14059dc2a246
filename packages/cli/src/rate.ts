/** Rates are of the last seconds, so that they follow the network. */
const WINDOW_MS = 10_000;
const LEAST_MS = 200;

/** Bytes per second over the last seconds. */
export class Rate {
  readonly #samples: { ms: number; bytes: number }[] = [];

  /** @param bytes that have moved until now. */
  note(bytes: number): number {
    const ms = performance.now();
    const last = this.#samples.at(-1);
    // Two samples may be this near: the window holds a bounded number of them.
    if (last && this.#samples.length > 1 && ms - last.ms < LEAST_MS / 2) last.bytes = bytes;
    else this.#samples.push({ ms, bytes });
    while ((this.#samples[1]?.ms ?? ms) < ms - WINDOW_MS) this.#samples.shift();
    const first = this.#samples[0] ?? { ms, bytes };
    return ms - first.ms < LEAST_MS ? 0 : Math.max(0, ((bytes - first.bytes) * 1000) / (ms - first.ms));
  }
}
