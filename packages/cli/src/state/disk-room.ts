/** When the disk of a watched folder will be full, from how its free space has changed. */
import { statfs } from 'node:fs/promises';

/** How often it is looked at. */
const EVERY_MS = 60_000;
/** Changes of a shorter time are no trend; those of a longer time are not the present one. */
const LEAST_MS = 5 * 60_000;
const WINDOW_MS = 60 * 60_000;
/** A disk that is full later than this does not fill. */
const LATEST_MS = 365 * 86_400_000;

export interface DiskRoomReport {
  readonly freeBytes: number;
  /** Milliseconds since 1970; null: it does not fill, or that is not known yet. */
  readonly fullAtMs: number | null;
}

interface Sample {
  readonly atMs: number;
  readonly freeBytes: number;
}

export class DiskRoom {
  readonly #readFree: () => Promise<number>;
  #samples: readonly Sample[] = [];
  #lookedMs = Number.NEGATIVE_INFINITY;
  #isLooking = false;

  /** @param readFree bytes that may still be written; it may fail, and on a share without an answer take for ever. */
  constructor(readFree: () => Promise<number>) {
    this.#readFree = readFree;
  }

  static of(folder: string): DiskRoom {
    return new DiskRoom(async () => {
      const { bavail, bsize } = await statfs(folder);
      return bavail * bsize;
    });
  }

  /** Call it about every second. It looks at the disk in the background, once a minute. */
  look(nowMs: number): void {
    if (this.#isLooking || nowMs - this.#lookedMs < EVERY_MS) return;
    this.#isLooking = true;
    this.#lookedMs = nowMs;
    this.#readFree()
      .then(
        (freeBytes) => {
          const recent = this.#samples.filter(({ atMs }) => nowMs - atMs <= WINDOW_MS && atMs < nowMs);
          this.#samples = [...recent, { atMs: nowMs, freeBytes }];
        },
        () => {
          this.#samples = [];
        },
      )
      .finally(() => {
        this.#isLooking = false;
      });
  }

  /** Null: the disk has not been read. */
  get report(): DiskRoomReport | null {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (!first || !last) return null;
    const spanMs = last.atMs - first.atMs;
    const leftMs = (last.freeBytes * spanMs) / (first.freeBytes - last.freeBytes);
    const isFilling = spanMs >= LEAST_MS && leftMs >= 0 && leftMs < LATEST_MS;
    return { freeBytes: last.freeBytes, fullAtMs: isFilling ? last.atMs + leftMs : null };
  }
}
