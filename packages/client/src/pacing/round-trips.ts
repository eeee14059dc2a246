/** Durations of short calls, which show whether parts in flight have made a queue on the path. */

const ASK_MS = 1_000;
/** From this duration of the fastest call on, a path is a wide-area path: one connection may be slow because of loss. */
const WIDE_MS = 20;
/** A call was delayed by a long queue when it took longer than this multiple of the fastest one, plus this time. */
const LONG_ROUND_TRIPS = 2;
const LONG_MS = 500;
/** A call was not delayed when it took no longer than this multiple of the fastest one, plus this time for the server. */
const SHORT_ROUND_TRIPS = 1.25;
const SHORT_MS = 30;

export class RoundTrips {
  #fastestMs = Number.POSITIVE_INFINITY;
  /** Durations of the last three calls: a single one may be long because of a lost packet or a busy machine. */
  #recentMs: readonly number[] = [];
  #askedMs = Number.NEGATIVE_INFINITY;
  #isAnswered = true;

  /** Of the fastest call, milliseconds; infinity: none was made. */
  get fastestMs(): number {
    return this.#fastestMs;
  }

  get isWide(): boolean {
    return this.#fastestMs >= WIDE_MS;
  }

  /** @returns true when a call should be made now; report it with `note`. */
  ask(nowMs: number): boolean {
    if (!this.#isAnswered || nowMs - this.#askedMs < ASK_MS) return false;
    this.#isAnswered = false;
    this.#askedMs = nowMs;
    return true;
  }

  /** The duration of the requested call; null when it failed, which gives no information. */
  note(ms: number | null): void {
    this.#isAnswered = true;
    if (ms === null) return;
    this.noteCall(ms);
    this.#recentMs = [...this.#recentMs, ms].slice(-3);
  }

  /** The duration of a call of few bytes, made at any time. */
  noteCall(ms: number): void {
    this.#fastestMs = Math.min(this.#fastestMs, ms);
  }

  /** True when the last two calls were delayed by a long queue. */
  areLong(nowMs: number): boolean {
    const longMs = LONG_MS + LONG_ROUND_TRIPS * this.#fastestMs;
    const recent = this.#recent(nowMs).slice(-2);
    return recent.length === 2 && recent.every((ms) => ms > longMs);
  }

  /** True when there certainly is no queue now: there were two calls, and the last one was fast. */
  areShort(nowMs: number): boolean {
    const recent = this.#recent(nowMs);
    return recent.length >= 2 && Number(recent.at(-1)) <= this.#shortMs;
  }

  /** True when there is a queue, long or not: none of the last three calls was fast. */
  areDelayed(nowMs: number): boolean {
    const recent = this.#recent(nowMs);
    return recent.length === 3 && recent.every((ms) => ms > this.#shortMs);
  }

  get #shortMs(): number {
    return SHORT_MS + SHORT_ROUND_TRIPS * this.#fastestMs;
  }

  /** The last three. A call without an answer counts with its time so far. */
  #recent(nowMs: number): readonly number[] {
    const waitingMs = this.#isAnswered ? 0 : nowMs - this.#askedMs;
    const last = this.#recentMs.at(-1) ?? 0;
    return [...this.#recentMs, ...(waitingMs > last ? [waitingMs] : [])].slice(-3);
  }
}
