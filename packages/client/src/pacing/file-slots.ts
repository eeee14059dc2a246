/**
 * How many files travel at the same time. The time of a small one is that of its requests, which wait for the network
 * and for the disk of the server: four of them take the place of one, so that some begin while others wait.
 */
import { MIB } from '@cryolift/protocol/plan';

/** Bytes up to which a file is small: it has one part. */
const SMALL_BYTES = MIB;
const SMALL_IN_ONE = 4;

export class FileSlots {
  readonly #quarters: number;
  #taken = 0;

  /** @param files at the same time. With 1, small files travel alone, too. */
  constructor(files: number) {
    this.#quarters = files === 1 ? 1 : files * SMALL_IN_ONE;
  }

  /** @returns a function that frees the place; null when the file has to wait. */
  take(sizeBytes: number): (() => void) | null {
    const needed = sizeBytes <= SMALL_BYTES ? 1 : Math.min(SMALL_IN_ONE, this.#quarters);
    if (this.#taken + needed > this.#quarters) return null;
    this.#taken += needed;
    return () => {
      this.#taken -= needed;
    };
  }
}
