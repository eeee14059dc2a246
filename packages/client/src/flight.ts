/** Which parts may be under way: as many as the path carries, of all uploads together, and no more bytes than memory has. */
import { FlightLimit } from './flight-limit.ts';

/** Bytes of parts in memory, at most; larger parts go one by one. */
const MAX_BUFFERED_BYTES = 256 * 1024 * 1024;

interface Waiting {
  readonly bytes: number;
  readonly start: () => void;
}

export class Flight {
  readonly #limit: FlightLimit;
  readonly #ping: () => Promise<unknown>;
  /** First come, first served. */
  readonly #waiting = new Set<Waiting>();
  #parts = 0;
  #bytes = 0;

  /** @param most parts in flight at any time, from 1. @param ping a call of few bytes, to be timed. */
  constructor(most: number, ping: () => Promise<unknown>) {
    this.#limit = new FlightLimit(most);
    this.#ping = ping;
  }

  /**
   * Waits until a part may be sent. Call `leave` with the same number of bytes when it has landed, or was given up.
   *
   * @throws the signal's reason.
   */
  async enter(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting = { bytes, start: resolve };
    const onAbort = () => {
      this.#waiting.delete(waiting);
      reject(signal.reason);
      this.#next();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    this.#waiting.add(waiting);
    this.#next();
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  leave(bytes: number): void {
    this.#parts--;
    this.#bytes -= bytes;
    this.#next();
  }

  /** A connection took so many bytes of a part. */
  noteSent(bytes: number): void {
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

  /** A connection was lost or stalled, or the server asks for less. */
  noteTrouble(): void {
    this.#limit.noteTrouble();
  }

  async #timePing(): Promise<void> {
    const beganMs = performance.now();
    try {
      await this.#ping();
      this.#limit.noteRoundTrip(performance.now() - beganMs);
    } catch {
      this.#limit.noteRoundTrip(null);
    }
  }

  #next(): void {
    for (const waiting of this.#waiting) {
      const fits = this.#parts === 0 || this.#bytes + waiting.bytes <= MAX_BUFFERED_BYTES;
      if (this.#parts >= this.#limit.limit || !fits) return;
      this.#waiting.delete(waiting);
      this.#parts++;
      this.#bytes += waiting.bytes;
      waiting.start();
    }
  }
}
