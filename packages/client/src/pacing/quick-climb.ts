/**
 * The begin of an upload over a wide-area path: the number of parts in flight doubles after short measurements, as long
 * as short calls are not delayed and two doublings bring a quarter more. New connections are faster at first, and fill
 * buffers: the first measurement shows nothing, a single doubling little, and none is compared with others.
 */
import type { RoundTrips } from './round-trips.ts';

/** Until new connections carry about as much as they will. */
const SETTLE_ROUND_TRIPS = 6;
const GAIN_OF_TWO = 1.25;

export class QuickClimb {
  readonly #roundTrips: RoundTrips;
  readonly #goodputs: number[] = [];
  #hasEnded = false;

  constructor(roundTrips: RoundTrips) {
    this.#roundTrips = roundTrips;
  }

  /** False for good after it has ended, or a long queue was seen. A delay of short calls may have other reasons. */
  isOn(nowMs: number): boolean {
    this.#hasEnded ||= !this.#roundTrips.isWide || this.#roundTrips.areLong(nowMs);
    return !this.#hasEnded;
  }

  end(): void {
    this.#hasEnded = true;
  }

  get settleMs(): number {
    return SETTLE_ROUND_TRIPS * this.#roundTrips.fastestMs;
  }

  /** Notes the goodput of the next number of parts. @returns false when the last doublings were not worth it. */
  isWorth(bytesPerSecond: number): boolean {
    this.#goodputs.push(bytesPerSecond);
    if (!this.hasCompared) return true;
    return bytesPerSecond > GAIN_OF_TWO * (this.#goodputs.at(-3) as number);
  }

  /** True when the last two doublings were compared. */
  get hasCompared(): boolean {
    return this.#goodputs.length > 3;
  }
}
