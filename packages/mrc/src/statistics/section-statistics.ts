import { Moments } from './moments.ts';

/** Mean and standard deviation of each section, in the order of the file; null for one without a finite voxel. */
export interface SectionStatistics {
  readonly mean: readonly (number | null)[];
  readonly sd: readonly (number | null)[];
}

/** Files with more sections have no statistics for each, so that memory and answers stay small. */
export const MAX_SECTIONS = 2048;
/** Those of a float32, which is enough for a plot. */
const DIGITS = 7;

/** Collects the statistics of each section of a file with at most 2,048. */
export class SectionMoments {
  readonly #moments: readonly Moments[];

  constructor(nz: number) {
    this.#moments = Array.from({ length: nz }, () => new Moments());
  }

  /** Where values of section `z`, from 0, are added. */
  of(z: number): Moments {
    return this.#moments[z] as Moments;
  }

  result(): SectionStatistics {
    const round = (value: number) => (Number.isFinite(value) ? Number(value.toPrecision(DIGITS)) + 0 : null);
    return {
      mean: this.#moments.map(({ count, mean }) => (count > 0 ? round(mean) : null)),
      sd: this.#moments.map(({ sd }) => round(sd)),
    };
  }
}
