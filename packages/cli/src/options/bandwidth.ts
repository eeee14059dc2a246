/** A limit on outgoing bytes: one rate, or a timetable of rates, for all request bodies of this process. */
import { setTimeout as wait } from 'node:timers/promises';
import { UsageError } from '../process/exit.ts';
import { between } from './quantity.ts';

/** Applies from this `minute` of the local day; null is no limit. */
interface Entry {
  readonly minute: number;
  readonly bytesPerSecond: number | null;
}

/** Ascending by minute, never empty. Before the first entry, the last entry of the day before applies. */
export type Timetable = readonly Entry[];

/**
 * A body is sent in chunks of this size. Each active part must send a chunk long before the server considers it
 * stalled.
 */
const PIECE_BYTES = 64 * 1024;
const PIECE_SECONDS = 8;
const LEAST_BYTES_PER_SECOND = PIECE_BYTES / PIECE_SECONDS;
/** Unused bytes may be sent later for this long, which also covers late timers. */
const BURST_MS = 100;
/** The timetable is checked this often while waiting, so that clock changes and sleep are noticed. */
const POLL_MS = 1000;

export interface Clock {
  /** Monotonic. */
  elapsedMs(): number;
  date(): Date;
  /** @throws the signal's reason when it is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

const SYSTEM_CLOCK: Clock = {
  elapsedMs: () => performance.now(),
  date: () => new Date(),
  async sleep(ms, signal) {
    await wait(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
  },
};

/**
 * `20MiB` (per second), `off`, or times of the local day with the limit that applies from then on: `08:00,20MiB
 * 19:00,off`.
 *
 * @throws UsageError
 */
export function parseTimetable(text: string): Timetable {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const [only] = words;
  if (only !== undefined && words.length === 1 && !only.includes(','))
    return [{ minute: 0, bytesPerSecond: parseRate(only) }];
  const entries = words.map(parseEntry).sort((a, b) => a.minute - b.minute);
  const twice = entries.find((entry, at) => entry.minute === entries[at + 1]?.minute);
  if (entries.length === 0 || twice) {
    throw new UsageError(`"${text}" is not a limit like 20MiB or "08:00,20MiB 19:00,off" with each time once`);
  }
  return entries;
}

function parseEntry(word: string): Entry {
  const [, hours, minutes, rate] = /^([01]?\d|2[0-3]):([0-5]\d),(.+)$/.exec(word) ?? [];
  if (rate === undefined) throw new UsageError(`"${word}" is not a time and a rate like 08:00,20MiB or 19:00,off`);
  return { minute: Number(hours) * 60 + Number(minutes), bytesPerSecond: parseRate(rate) };
}

function parseRate(text: string): number | null {
  if (text === 'off') return null;
  const bytesPerSecond = between('size', '1b', '8191TiB')(text);
  if (bytesPerSecond < LEAST_BYTES_PER_SECOND) {
    throw new UsageError(`${text} is too low: servers end bodies that are slower than 8KiB per second`);
  }
  return bytesPerSecond;
}

/** @returns how many parts can be sent at the same time without stalling one of them, at most `requested`. */
export function sharers(timetable: Timetable, requested: number): number {
  const least = Math.min(...timetable.map(({ bytesPerSecond }) => bytesPerSecond ?? Number.POSITIVE_INFINITY));
  return Math.max(1, Math.min(requested, Math.floor(least / LEAST_BYTES_PER_SECOND)));
}

/** A token bucket: bytes are claimed in order and released at the current rate. */
export class Bandwidth {
  readonly timetable: Timetable;
  readonly #clock: Clock;
  #claimedBytes = 0;
  #releasedBytes = 0;
  #updatedMs: number;

  constructor(timetable: Timetable, clock = SYSTEM_CLOCK) {
    this.timetable = timetable;
    this.#clock = clock;
    this.#updatedMs = clock.elapsedMs();
  }

  /**
   * Resolves when `bytes` may go out, in the order of the calls.
   *
   * @throws the signal's reason when it is aborted; the bytes count as sent.
   */
  readonly pace = async (bytes: number, signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    const from = this.#claimedBytes;
    for (let claimed = false; ; claimed = true) {
      const rate = this.#release();
      if (!claimed) this.#claimedBytes += bytes;
      if (rate === null || from <= this.#releasedBytes) return;
      const missingMs = ((from - this.#releasedBytes) * 1000) / rate;
      await this.#clock.sleep(Math.min(missingMs, POLL_MS), signal);
    }
  };

  /** @returns the current rate. */
  #release(): number | null {
    const nowMs = this.#clock.elapsedMs();
    const rate = rateAt(this.timetable, this.#clock.date());
    if (rate === null) {
      this.#releasedBytes = this.#claimedBytes;
    } else {
      const grownBytes = (rate * (nowMs - this.#updatedMs)) / 1000;
      const mostBytes = this.#claimedBytes + (rate * BURST_MS) / 1000;
      this.#releasedBytes = Math.min(this.#releasedBytes + grownBytes, mostBytes);
    }
    this.#updatedMs = nowMs;
    return rate;
  }
}

function rateAt(timetable: Timetable, date: Date): number | null {
  const minute = date.getHours() * 60 + date.getMinutes();
  const entry = timetable.findLast((each) => each.minute <= minute) ?? timetable.at(-1);
  return entry?.bytesPerSecond ?? null;
}
