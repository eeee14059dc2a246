/**
 * How many parts to have in flight: hill climbing on measured goodput.
 *
 * More connections increase the goodput over a path with packet loss or a limit per connection. Over a path that is
 * only slow they make queues longer. The goodput shows which case applies. So the number goes up and down in powers of
 * two, and stays where `goodput / COST^parts` is greatest, the utility of Falcon (Arifuzzaman and Arslan, SC '21):
 * doubling 8 parts must bring 37 % more, doubling 1 part 4 %.
 *
 * Two rules have priority. An error (a lost or stalled connection, 429, 503) halves the number at once, which is the
 * multiplicative decrease of AIMD. A short call that takes much longer than without load was delayed by a queue of
 * parts: their number is then reduced, even if the goodput is high, because buffers on the path hide the queue.
 */

const FIRST = 4;
const COST = 1.04;
/** Until new connections have reached their rate, and the system's buffers are full. */
const SETTLE_MS = 2_000;
/** A measurement ends after as many acknowledged parts as are in flight, within these bounds. */
const LEAST_MEASURE_MS = 2_000;
const LONGEST_MEASURE_MS = 5_000;
/** A measurement counts only if the path was in use: mean of parts in flight to parts allowed. */
const IN_USE = 0.75;
/**
 * When neither neighbour is better, the search rests until this time has passed and this many times the parts in flight
 * have arrived.
 */
const REST_MS = 30_000;
const REST_ROUNDS = 4;
/** Consecutive rests grow up to this factor. */
const LONGEST_REST = 16;
const ASK_MS = 1_000;
/** A measurement that differs by more than this factor means that the path has changed. */
const CHANGED = 1.5;
/** A call was queued when it took longer than this multiple of the fastest one, plus this time. */
const QUEUE_MS = 500;
const QUEUE_ROUND_TRIPS = 2;
/** With a single part the path is idle while its answer is in transit, so a queue never reduces the number to one. */
const LEAST_BUSY = 2;

interface Measured {
  readonly limit: number;
  readonly bytesPerSecond: number;
}

export class WindowLimit {
  readonly #most: number;
  readonly #now: () => number;
  #limit: number;
  /** The best measurement so far; null: none for the current path. */
  #best: Measured | null = null;
  /** The last neighbour that was not better. */
  #rejected: Measured | null = null;
  #upward = true;
  /** Consecutive probes that were not better: after one in each direction it rests. */
  #worse = 0;
  #restUntilMs = 0;
  #restParts = 0;
  #restTimes = 1;
  #quickestMs = Number.POSITIVE_INFINITY;
  /** Durations of the last two calls: a single one may be long because of a lost packet. */
  #roundTripsMs: readonly number[] = [];
  #askedMs = Number.NEGATIVE_INFINITY;
  #isAnswered = true;
  #calmUntilMs = 0;
  #startedMs: number;
  #measuringSinceMs: number | null = null;
  #sentBytes = 0;
  #arrivedParts = 0;
  #inFlightSum = 0;
  #samples = 0;

  /** @param most maximum of parts in flight, from 1. @param now milliseconds of a monotonic clock. */
  constructor(most: number, now: () => number = () => performance.now()) {
    this.#most = most;
    this.#now = now;
    this.#limit = Math.min(FIRST, most);
    this.#startedMs = now();
  }

  /** The number of parts that may be in flight now. */
  get limit(): number {
    return this.#limit;
  }

  /**
   * A connection sent these bytes.
   *
   * @param inFlight parts in flight now.
   * @returns true when a short call should be timed now and reported to `noteRoundTrip`.
   */
  noteSent(bytes: number, inFlight: number): boolean {
    const nowMs = this.#now();
    if (this.#measuringSinceMs === null) {
      // More than allowed: parts from before the limit was reduced must finish first.
      if (inFlight <= this.#limit && nowMs - this.#startedMs >= SETTLE_MS) this.#startMeasuring(nowMs);
      return this.#ask(nowMs);
    }
    this.#sentBytes += bytes;
    this.#inFlightSum += inFlight;
    this.#samples++;
    const ms = nowMs - this.#measuringSinceMs;
    const enough = ms >= LONGEST_MEASURE_MS || (ms >= LEAST_MEASURE_MS && this.#arrivedParts >= this.#limit);
    if (!enough) return this.#ask(nowMs);
    if (this.#inFlightSum < IN_USE * this.#limit * this.#samples) this.#startMeasuring(nowMs);
    else this.#evaluate({ limit: this.#limit, bytesPerSecond: (this.#sentBytes * 1000) / ms }, nowMs);
    return this.#ask(nowMs);
  }

  /** The duration of a call of few bytes, made at any time. */
  noteCall(ms: number): void {
    this.#quickestMs = Math.min(this.#quickestMs, ms);
  }

  /** The duration of the requested call; null when it failed, which gives no information. */
  noteRoundTrip(ms: number | null): void {
    this.#isAnswered = true;
    if (ms === null) return;
    this.noteCall(ms);
    this.#roundTripsMs = [...this.#roundTripsMs, ms].slice(-2);
  }

  #ask(nowMs: number): boolean {
    if (!this.#isAnswered || nowMs - this.#askedMs < ASK_MS) return false;
    this.#isAnswered = false;
    this.#askedMs = nowMs;
    return true;
  }

  notePart(): void {
    this.#arrivedParts++;
    this.#restParts--;
  }

  /** A connection was lost or stalled, or the server is overloaded. Simultaneous failures count once. */
  noteFailure(): void {
    const nowMs = this.#now();
    if (nowMs < this.#calmUntilMs) return;
    this.#calmUntilMs = nowMs + SETTLE_MS + LEAST_MEASURE_MS;
    this.#forget();
    this.#upward = true;
    this.#go(powerBelow(this.#limit), nowMs);
  }

  #startMeasuring(nowMs: number): void {
    this.#measuringSinceMs = nowMs;
    this.#sentBytes = 0;
    this.#arrivedParts = 0;
    this.#inFlightSum = 0;
    this.#samples = 0;
  }

  #isQueued(nowMs: number): boolean {
    const long = QUEUE_MS + QUEUE_ROUND_TRIPS * this.#quickestMs;
    // A call without an answer has taken this long already.
    const waitingMs = this.#isAnswered ? 0 : nowMs - this.#askedMs;
    const recent = [...this.#roundTripsMs, ...(waitingMs > long ? [waitingMs] : [])].slice(-2);
    return recent.length === 2 && recent.every((ms) => ms > long);
  }

  #evaluate(found: Measured, nowMs: number): void {
    const best = this.#best;
    const isProbe = best !== null && found.limit !== best.limit;
    if (found.limit > LEAST_BUSY && this.#isQueued(nowMs)) {
      if (!isProbe) this.#forget();
      this.#upward = false;
      this.#rest(found.limit, nowMs);
      this.#go(powerBelow(found.limit), nowMs);
    } else if (isProbe && utility(found) <= utility(best)) {
      this.#turn(nowMs);
      this.#rejected = found;
      this.#go(best.limit, nowMs);
    } else if (!isProbe && this.#rejected && utility(this.#rejected) > utility(found)) {
      // It was compared with a measurement that was too high.
      this.#best = found;
      this.#upward = this.#rejected.limit > found.limit;
      this.#worse = 0;
      this.#go(this.#rejected.limit, nowMs);
      this.#rejected = null;
    } else {
      if (best !== null && !isProbe && isOther(best, found)) this.#forget();
      this.#rejected = null;
      if (isProbe) {
        // The previous value is known not to be better.
        this.#worse = 1;
        this.#restTimes = 1;
      }
      this.#best = found;
      this.#probe(nowMs);
    }
  }

  /** Tries the neighbour in the direction that was better last. */
  #probe(nowMs: number): void {
    const isResting = nowMs < this.#restUntilMs || this.#restParts > 0;
    const next = this.#upward ? Math.min(this.#most, this.#limit * 2) : powerBelow(this.#limit);
    if (isResting || next === this.#limit) {
      if (!isResting) this.#turn(nowMs);
      this.#startMeasuring(nowMs);
    } else {
      this.#go(next, nowMs);
    }
  }

  /** It is not better there, or the bound is reached. */
  #turn(nowMs: number): void {
    this.#upward = !this.#upward;
    if (++this.#worse >= 2) this.#rest(this.#limit, nowMs);
  }

  #rest(limit: number, nowMs: number): void {
    this.#worse = 0;
    this.#restUntilMs = nowMs + REST_MS * this.#restTimes;
    this.#restParts = REST_ROUNDS * limit * this.#restTimes;
    this.#restTimes = Math.min(LONGEST_REST, this.#restTimes * 2);
  }

  /** The path has changed. */
  #forget(): void {
    this.#best = null;
    this.#rejected = null;
    this.#worse = 0;
    this.#restUntilMs = 0;
    this.#restParts = 0;
    this.#restTimes = 1;
  }

  #go(limit: number, nowMs: number): void {
    this.#limit = limit;
    this.#startedMs = nowMs;
    this.#measuringSinceMs = null;
  }
}

function utility({ limit, bytesPerSecond }: Measured): number {
  return bytesPerSecond / COST ** limit;
}

function isOther(known: Measured, found: Measured): boolean {
  const ratio = found.bytesPerSecond / known.bytesPerSecond;
  return ratio > CHANGED || ratio < 1 / CHANGED;
}

/** The next smaller power of two; 1 below 2. */
function powerBelow(limit: number): number {
  return Math.max(1, 2 ** (Math.ceil(Math.log2(limit)) - 1));
}
