/** How many bytes per second the connections of an uploader carry. */

/** A shorter measurement counts the buffers of the system, not the link. */
const MEASURE_MS = 1_000;
/** Without bytes for so long, nothing was to be sent: the time does not count. */
const IDLE_MS = 2_000;

export class LinkRate {
  readonly #now: () => number;
  #bytesPerSecond: number | null = null;
  #startedMs: number | null = null;
  #lastMs = 0;
  #bytes = 0;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** A connection has sent these bytes. */
  note(bytes: number): void {
    const nowMs = this.#now();
    if (this.#startedMs === null || nowMs - this.#lastMs > IDLE_MS) this.#start(nowMs);
    else this.#bytes += bytes;
    this.#lastMs = nowMs;
    const ms = nowMs - (this.#startedMs ?? nowMs);
    if (ms < MEASURE_MS) return;
    this.#bytesPerSecond = (this.#bytes * 1000) / ms;
    this.#start(nowMs);
  }

  /** Of the last second and more; null: not measured yet. */
  get bytesPerSecond(): number | null {
    return this.#bytesPerSecond;
  }

  #start(nowMs: number): void {
    this.#startedMs = nowMs;
    this.#bytes = 0;
  }
}
