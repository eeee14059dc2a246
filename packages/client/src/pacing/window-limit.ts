/**
 * How many parts to have in flight: hill climbing on measured goodput.
 *
 * More connections increase the goodput over a path with packet loss or a limit per connection. Over a path that is
 * only slow they make queues longer. The goodput shows which case applies. So the number goes up and down in powers of
 * two, and stays where the utility is greatest. Up to 8 parts that is `goodput / COST^parts`, the utility of Falcon
 * (Arifuzzaman and Arslan, SC '21): doubling 1 part must bring 4 % more, doubling 4 parts 17 %. From 8 parts on, every
 * doubling must bring 37 % more.
 *
 * Three rules have priority. An error (a lost or stalled connection, 429, 503) halves the number at once, which is the
 * multiplicative decrease of AIMD. A short call that takes much longer than without load was delayed by a queue of
 * parts: their number is then reduced, even if the goodput is high, because buffers on the path hide the queue. More
 * than QUEUE_BOUND parts are in flight only while short calls are not delayed at all: then only loss, or a limit per
 * connection, keeps the connections slow.
 */
import { QuickClimb } from './quick-climb.ts';
import { RoundTrips } from './round-trips.ts';

const FIRST = 4;
const COST = 1.04;
/** From here on, every doubling costs the same. */
const DOUBLED = 8;
/** The most parts on a path with a queue. */
const QUEUE_BOUND = 16;
/** After an error with more parts, no more than half as many are tried for this time. */
const FAILED_MS = 10 * 60_000;
/** Until new connections have reached their rate, and the system's buffers are full. */
const SETTLE_MS = 2_000;
/** A measurement ends after as many acknowledged parts as are in flight, within these bounds. */
const LEAST_MEASURE_MS = 2_000;
const LONGEST_MEASURE_MS = 5_000;
/** A measurement of the climb, and one that shows that a smaller number is clearly worse, ends after this time. */
const QUICK_MEASURE_MS = 800;
/** So many measurements wait for the end of a delay of short calls, which may have other reasons than a queue. */
const MOST_HELD = 3;
/** Clearly: the goodput is divided by this, or more, for half the parts. */
const CLEAR = 1.5;
/** A measurement counts only if the path was in use: mean of parts in flight to parts allowed. */
const IN_USE = 0.75;
/**
 * When neither neighbour is better, the search rests until this time has passed and this many times the parts in flight
 * have arrived.
 */
const REST_MS = 30_000;
const REST_ROUNDS = 4;
/** Longer by this factor above QUEUE_BOUND, where a smaller number costs much and short calls watch the path. */
const MANY_REST = 4;
/** Consecutive rests grow up to this factor. */
const LONGEST_REST = 16;
/** A measurement that differs by more than this factor means that the path has changed. */
const CHANGED = 1.5;
/**
 * While the answer to a part is in transit its connection is idle, and with few parts the path is idle at times. Neither a
 * queue nor the search on a wide-area path leads below this number.
 */
const LEAST_BUSY = 3;

interface Measured {
  readonly limit: number;
  readonly bytesPerSecond: number;
}

export class WindowLimit {
  readonly #most: () => number;
  readonly #now: () => number;
  #limit: number;
  /** The best measurement so far; null: none for the current path. */
  #best: Measured | null = null;
  /** The last neighbour that was not better. */
  #rejected: Measured | null = null;
  #upward = true;
  /** Consecutive probes that were not better: after one in each direction it rests. */
  #worse = 0;
  /** Consecutive measurements after which it would have grown without QUEUE_BOUND. */
  #held = 0;
  #restUntilMs = 0;
  #restParts = 0;
  #restTimes = 1;
  readonly #roundTrips = new RoundTrips();
  readonly #climb = new QuickClimb(this.#roundTrips);
  #calmUntilMs = 0;
  /** After an error with more than QUEUE_BOUND parts. */
  #failedBound = Number.POSITIVE_INFINITY;
  #failedUntilMs = 0;
  #startedMs: number;
  #measuringSinceMs: number | null = null;
  #sentBytes = 0;
  #arrivedParts = 0;
  #inFlightSum = 0;
  #samples = 0;

  /** @param most maximum of parts in flight, from 1; it may change. @param now milliseconds of a monotonic clock. */
  constructor(most: number | (() => number), now: () => number = () => performance.now()) {
    this.#most = typeof most === 'number' ? () => most : most;
    this.#now = now;
    this.#limit = Math.min(FIRST, this.#most());
    this.#startedMs = now();
  }

  /** The number of parts that may be in flight now. */
  get limit(): number {
    return Math.min(this.#limit, this.#most());
  }

  /** The duration of the fastest call, milliseconds; infinity: none was made. */
  get roundTripMs(): number {
    return this.#roundTrips.fastestMs;
  }

  /**
   * A connection sent these bytes.
   *
   * @param inFlight parts in flight now.
   * @returns true when a short call should be timed now and reported to `noteRoundTrip`.
   */
  noteSent(bytes: number, inFlight: number): boolean {
    const nowMs = this.#now();
    this.#measure(bytes, inFlight, nowMs);
    return this.#roundTrips.ask(nowMs);
  }

  /** The duration of a call of few bytes, made at any time. */
  noteCall(ms: number): void {
    this.#roundTrips.noteCall(ms);
  }

  /** The duration of the requested call; null when it failed, which gives no information. */
  noteRoundTrip(ms: number | null): void {
    this.#roundTrips.note(ms);
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
    this.#climb.end();
    this.#upward = true;
    this.#go(powerBelow(this.#limit), nowMs);
    this.#failedBound = Math.max(QUEUE_BOUND, this.#limit);
    this.#failedUntilMs = nowMs + FAILED_MS;
  }

  #startMeasuring(nowMs: number): void {
    this.#measuringSinceMs = nowMs;
    this.#sentBytes = 0;
    this.#arrivedParts = 0;
    this.#inFlightSum = 0;
    this.#samples = 0;
  }

  #measure(bytes: number, inFlight: number, nowMs: number): void {
    if (this.#measuringSinceMs === null) {
      const settleMs = this.#climb.isOn(nowMs) ? Math.min(SETTLE_MS, this.#climb.settleMs) : SETTLE_MS;
      // More than allowed: parts from before the limit was reduced must finish first.
      if (inFlight <= this.#limit && nowMs - this.#startedMs >= settleMs) this.#startMeasuring(nowMs);
      return;
    }
    this.#sentBytes += bytes;
    this.#inFlightSum += inFlight;
    this.#samples++;
    const ms = nowMs - this.#measuringSinceMs;
    const found = { limit: this.#limit, bytesPerSecond: (this.#sentBytes * 1000) / ms };
    const isClimbing = this.#climb.isOn(nowMs) && this.#roundTrips.areShort(nowMs);
    const enough = ms >= LONGEST_MEASURE_MS || (ms >= LEAST_MEASURE_MS && this.#arrivedParts >= this.#limit);
    if (!(enough || (ms >= QUICK_MEASURE_MS && (isClimbing || this.#isClearlyWorse(found))))) return;
    if (this.#inFlightSum < IN_USE * this.#limit * this.#samples) this.#startMeasuring(nowMs);
    else if (isClimbing) this.#climbOn(found.bytesPerSecond, nowMs);
    else this.#evaluate(found, nowMs);
  }

  /** The next step of the quick climb, or its end. */
  #climbOn(bytesPerSecond: number, nowMs: number): void {
    const isWorth = this.#climb.isWorth(bytesPerSecond);
    const next = Math.min(this.#bound(nowMs), this.#limit * 2);
    if (!isWorth || next === this.#limit) {
      this.#climb.end();
      // At the maximum, half of it is known not to be better.
      this.#upward = isWorth && this.#climb.hasCompared;
      this.#worse = this.#upward ? 1 : 0;
    }
    this.#go(isWorth ? next : this.#limit, nowMs);
  }

  /** True when a longer measurement would lead to the same decision. */
  #isClearlyWorse(found: Measured): boolean {
    const best = this.#best;
    return best !== null && found.limit < best.limit && found.bytesPerSecond < best.bytesPerSecond / CLEAR;
  }

  /** The most parts that may be tried now. */
  #bound(nowMs: number): number {
    const failed = nowMs < this.#failedUntilMs ? this.#failedBound : Number.POSITIVE_INFINITY;
    const queued = this.#roundTrips.areShort(nowMs) ? Number.POSITIVE_INFINITY : QUEUE_BOUND;
    return Math.min(this.#most(), Math.max(this.#limit, Math.min(failed, queued)));
  }

  #evaluate(found: Measured, nowMs: number): void {
    this.#climb.end();
    const best = this.#best;
    const isProbe = best !== null && found.limit !== best.limit;
    const isLong = this.#roundTrips.areLong(nowMs);
    const isQueued = isLong || (found.limit > QUEUE_BOUND && this.#roundTrips.areDelayed(nowMs));
    if (found.limit > LEAST_BUSY && isQueued) {
      if (!isProbe) this.#forget();
      this.#upward = !isLong;
      this.#rest(found.limit, nowMs);
      this.#go(Math.max(LEAST_BUSY, powerBelow(found.limit)), nowMs);
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
    const least = Math.min(this.#roundTrips.isWide ? LEAST_BUSY : 1, this.#limit);
    const [up, down] = [Math.min(this.#bound(nowMs), this.#limit * 2), Math.max(least, powerBelow(this.#limit))];
    const next = this.#upward ? up : down;
    if (isResting || next === this.#limit) {
      const isHeld = this.#upward && this.#limit < this.#most() && this.#held < MOST_HELD;
      if (isHeld) this.#held++;
      else if (!isResting) this.#turn(nowMs);
      this.#startMeasuring(nowMs);
    } else {
      this.#go(next, nowMs);
    }
  }

  /** It is not better there, or the bound is reached. */
  #turn(nowMs: number): void {
    this.#held = 0;
    this.#upward = !this.#upward;
    if (++this.#worse >= 2) this.#rest(this.#limit, nowMs, this.#limit > QUEUE_BOUND ? MANY_REST : 1);
  }

  #rest(limit: number, nowMs: number, factor = 1): void {
    this.#worse = 0;
    this.#restUntilMs = nowMs + REST_MS * this.#restTimes * factor;
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
    this.#held = 0;
    this.#measuringSinceMs = null;
  }
}

function utility({ limit, bytesPerSecond }: Measured): number {
  return bytesPerSecond / COST ** (limit <= DOUBLED ? limit : DOUBLED * (1 + Math.log2(limit / DOUBLED)));
}

function isOther(known: Measured, found: Measured): boolean {
  const ratio = found.bytesPerSecond / known.bytesPerSecond;
  return ratio > CHANGED || ratio < 1 / CHANGED;
}

/** The next smaller power of two; 1 below 2. */
function powerBelow(limit: number): number {
  return Math.max(1, 2 ** (Math.ceil(Math.log2(limit)) - 1));
}
