/** Limits the number of parts in flight of all uploads together by the throughput of the network. */
import { LinkRate } from './link-rate.ts';
import { WindowLimit } from './window-limit.ts';

export class PartWindow {
  readonly #limit: WindowLimit;
  readonly #ping: () => Promise<unknown>;
  readonly #linkRate = new LinkRate();
  /** First come, first served. */
  readonly #waiting = new Set<() => void>();
  #parts = 0;

  /**
   * @param most maximum of parts in flight, from 1; it may change.
   * @param ping a call of few bytes, whose duration is measured.
   */
  constructor(most: number | (() => number), ping: () => Promise<unknown>) {
    this.#limit = new WindowLimit(most);
    this.#ping = ping;
  }

  /**
   * Waits until a part may be sent. Call `leave` when the part was acknowledged or aborted.
   *
   * @throws the signal's reason.
   */
  async enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = () => {
      this.#waiting.delete(resolve);
      reject(signal.reason);
      this.#next();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    this.#waiting.add(resolve);
    this.#next();
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  leave(): void {
    this.#parts--;
    this.#next();
  }

  /** Bytes per second that the connections carry; null: not measured yet. */
  get linkRate(): number | null {
    return this.#linkRate.bytesPerSecond;
  }

  /** The duration of the fastest call of few bytes, milliseconds; infinity: none was made. */
  get roundTripMs(): number {
    return this.#limit.roundTripMs;
  }

  /** How many more parts could be sent now. */
  get freeParts(): number {
    return Math.max(0, this.#limit.limit - this.#parts);
  }

  /** A connection sent this many bytes of a part. */
  noteSent(bytes: number): void {
    this.#linkRate.note(bytes);
    const before = this.#limit.limit;
    const isDue = this.#limit.noteSent(bytes, this.#parts);
    if (this.#limit.limit > before) this.#next();
    if (isDue) void this.#timePing();
  }

  /** A call of few bytes took this long, milliseconds. */
  noteCall(ms: number): void {
    this.#limit.noteCall(ms);
  }

  /** A part was acknowledged. */
  notePart(): void {
    this.#limit.notePart();
  }

  /** A connection was lost or stalled, or the server is overloaded. */
  noteFailure(): void {
    this.#limit.noteFailure();
  }

  async #timePing(): Promise<void> {
    const startedMs = performance.now();
    try {
      await this.#ping();
      this.#limit.noteRoundTrip(performance.now() - startedMs);
    } catch {
      this.#limit.noteRoundTrip(null);
    }
  }

  #next(): void {
    for (const start of this.#waiting) {
      if (this.#parts >= this.#limit.limit) return;
      this.#waiting.delete(start);
      this.#parts++;
      start();
    }
  }
}
