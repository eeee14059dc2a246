/**
 * Finds parts that crawl at the end of an upload while other connections are idle. On a path with packet loss one
 * connection may be several times slower than the others; the last parts then wait for it.
 */

/** A part is not late before this time, even if the others took a moment. */
const LEAST_MS = 2_000;
/** It is late when it needs this much longer than a new attempt. */
const FACTOR = 2;
/** The most recent parts whose durations are known. */
const RECENT = 64;

interface Attempt {
  readonly startedMs: number;
  readonly bytes: number;
  sentBytes: number;
  readonly takeOver: () => void;
}

export class Stragglers {
  readonly #now: () => number;
  readonly #attempts = new Map<number, Attempt>();
  /** Milliseconds per byte of recent parts. */
  readonly #paces: number[] = [];
  /** Parts that were taken over once. */
  readonly #takenOver = new Set<number>();

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** A part is sent now. @param bytes of its body. @param takeOver ends this attempt, so that another one follows. */
  begin(idx: number, bytes: number, takeOver: () => void): void {
    this.#attempts.set(idx, { startedMs: this.#now(), bytes, sentBytes: 0, takeOver });
  }

  noteSent(idx: number, bytes: number): void {
    const attempt = this.#attempts.get(idx);
    if (attempt) attempt.sentBytes += bytes;
  }

  /** The attempt has ended. @param isStored it was acknowledged. */
  end(idx: number, isStored: boolean): void {
    const attempt = this.#attempts.get(idx);
    if (!(this.#attempts.delete(idx) && isStored && attempt)) return;
    this.#paces.push((this.#now() - attempt.startedMs) / attempt.bytes);
    if (this.#paces.length > RECENT) this.#paces.shift();
  }

  /** Other connections are idle. Each part is taken over once, and each idle connection takes over one part at most. */
  takeOver(idle: number): void {
    const pace = medianOf(this.#paces);
    if (pace === null) return;
    const late = [...this.#attempts].filter(
      ([idx, attempt]) => !this.#takenOver.has(idx) && this.#isLate(attempt, pace),
    );
    for (const [idx, attempt] of late.slice(0, idle)) {
      this.#takenOver.add(idx);
      attempt.takeOver();
    }
  }

  #isLate({ startedMs, bytes, sentBytes }: Attempt, pace: number): boolean {
    const ms = this.#now() - startedMs;
    const newMs = Math.max(LEAST_MS, pace * bytes);
    // When all was sent, the system's buffers may hold any share of it.
    const leftMs = sentBytes < bytes ? (ms * (bytes - sentBytes)) / Math.max(1, sentBytes) : ms - newMs;
    return ms > newMs && leftMs > FACTOR * newMs;
  }
}

function medianOf(values: readonly number[]): number | null {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? null;
}
