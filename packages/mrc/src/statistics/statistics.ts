import type { VoxelLayout } from '../voxels/voxels.ts';

/** Statistics of all voxels of a file. Numbers are null when no voxel is finite. */
export interface VoxelStatistics {
  /** Number of finite voxels. */
  readonly count: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  /** Standard deviation of the population, which MRC2014 calls RMS. */
  readonly sd: number | null;
  readonly nan: number;
  readonly inf: number;
  readonly histogram: Histogram | null;
}

/**
 * `counts[i]` voxels lie from `edges[i]` up to, not including, `edges[i + 1]`; the last bin includes its upper edge.
 */
export interface Histogram {
  /** Ascending; one more than there are counts. */
  readonly edges: number[];
  readonly counts: number[];
}

/** Modes whose voxels are whole numbers of 16 bits at most. */
const INTEGER_MODES: readonly number[] = [0, 1, 6, 101];
const FINE_BINS = 65_536;
const BINS = 256;
/** Rank of the fine bin that begins with 0, in the order of values; the bin before it ends with -0. */
const ZERO_RANK = 0x8000;
/** Values summed together, as differences from one of them, so that no significant digits are lost. */
const BLOCK = 4096;
/** Fine bins count in 32 bits; they are carried over before they can overflow. */
const CARRY_AFTER = 2 ** 31;

/**
 * One-pass statistics of values that arrive in any order and in pieces of any size, exact to the rounding of float64.
 * Minimum, maximum and counts are exact. Mean and variance are summed relative to a value of each block and merged by
 * the formula of Chan, Golub and LeVeque (1979).
 *
 * The histogram needs no range in advance: each whole number has a fine bin, and for floats each pattern of the upper
 * 16 bits, in the order of values. The reported bins are sums of neighbouring fine bins.
 */
export class Statistics {
  readonly #isInteger: boolean;
  readonly #fine = new Uint32Array(FINE_BINS);
  readonly #carried = new Float64Array(FINE_BINS);
  readonly #finite = new Float32Array(BLOCK);
  #sinceCarry = 0;
  #count = 0;
  #mean = 0;
  /** Sum of squared differences from the mean. */
  #m2 = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #nan = 0;
  #inf = 0;

  constructor({ mode }: Pick<VoxelLayout, 'mode'>) {
    this.#isInteger = INTEGER_MODES.includes(mode);
  }

  /** Adds `values[from]` up to, not including, `values[to]`. */
  add(values: Float32Array, from = 0, to = values.length): void {
    if (this.#sinceCarry + (to - from) > CARRY_AFTER) this.#carry();
    this.#sinceCarry += to - from;
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (let at = from; at < to; at += BLOCK) {
      const end = Math.min(at + BLOCK, to);
      if (this.#isInteger) this.#addIntegers(values, at, end);
      else this.#addFloats(values, bits, at, end);
    }
  }

  /** Adds the values of another instance of the same mode. */
  merge(other: Statistics): void {
    this.#carry();
    other.#carry();
    for (let bin = 0; bin < FINE_BINS; bin++) {
      this.#carried[bin] = (this.#carried[bin] as number) + (other.#carried[bin] as number);
    }
    this.#mergeMoments(other.#count, other.#mean, other.#m2);
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
    this.#nan += other.#nan;
    this.#inf += other.#inf;
  }

  result(): VoxelStatistics {
    const [count, nan, inf] = [this.#count, this.#nan, this.#inf];
    if (count === 0) return { count, min: null, max: null, mean: null, sd: null, nan, inf, histogram: null };
    const sd = Math.sqrt(this.#m2 / count);
    // -0 would become 0 in JSON.
    const [min, max] = [this.#min + 0, this.#max + 0];
    return { count, min, max, mean: this.#mean + 0, sd, nan, inf, histogram: this.#histogram() };
  }

  #addIntegers(values: Float32Array, from: number, to: number): void {
    this.#addMoments(values, from, to);
    const fine = this.#fine;
    // Negative numbers use the upper half.
    for (let i = from; i < to; i++) {
      const bin = (values[i] as number) & 0xffff;
      fine[bin] = (fine[bin] as number) + 1;
    }
  }

  #addFloats(values: Float32Array, bits: Uint32Array, from: number, to: number): void {
    if (!this.#addMoments(values, from, to)) {
      this.#addFinite(values, bits, from, to);
      return;
    }
    const fine = this.#fine;
    for (let i = from; i < to; i++) {
      const bin = (bits[i] as number) >>> 16;
      fine[bin] = (fine[bin] as number) + 1;
    }
  }

  /** Adds a block with values that are not finite: the finite ones are copied together first. */
  #addFinite(values: Float32Array, bits: Uint32Array, from: number, to: number): void {
    const fine = this.#fine;
    const finite = this.#finite;
    let count = 0;
    for (let i = from; i < to; i++) {
      const value = values[i] as number;
      // NaN and the infinities: the difference with itself is not 0.
      if (value - value !== 0) {
        this.#noteNotFinite(value);
        continue;
      }
      finite[count++] = value;
      const bin = (bits[i] as number) >>> 16;
      fine[bin] = (fine[bin] as number) + 1;
    }
    if (count > 0) this.#addMoments(finite, 0, count);
  }

  /**
   * Adds the moments of a block. Two sums run side by side, because each addition waits for the one before it.
   *
   * @returns false, without any change, when a value is not finite.
   */
  #addMoments(values: Float32Array, from: number, to: number): boolean {
    const shift = values[from] as number;
    let sum0 = 0;
    let sum1 = 0;
    let squares0 = 0;
    let squares1 = 0;
    let min = shift;
    let max = shift;
    let i = from;
    for (; i + 1 < to; i += 2) {
      const a = values[i] as number;
      const b = values[i + 1] as number;
      const differenceA = a - shift;
      const differenceB = b - shift;
      sum0 += differenceA;
      sum1 += differenceB;
      squares0 += differenceA * differenceA;
      squares1 += differenceB * differenceB;
      if (a < min) min = a;
      if (a > max) max = a;
      if (b < min) min = b;
      if (b > max) max = b;
    }
    if (i < to) {
      const value = values[i] as number;
      const difference = value - shift;
      sum0 += difference;
      squares0 += difference * difference;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    const sum = sum0 + sum1;
    const squares = squares0 + squares1;
    // A NaN or an infinity stays in a sum.
    if (!Number.isFinite(squares)) return false;
    this.#min = Math.min(this.#min, min);
    this.#max = Math.max(this.#max, max);
    const count = to - from;
    this.#mergeMoments(count, shift + sum / count, Math.max(0, squares - (sum * sum) / count));
    return true;
  }

  #noteNotFinite(value: number): void {
    if (Number.isNaN(value)) this.#nan++;
    else this.#inf++;
  }

  #mergeMoments(count: number, mean: number, m2: number): void {
    if (count === 0) return;
    const total = this.#count + count;
    const difference = mean - this.#mean;
    this.#m2 += m2 + difference * difference * ((this.#count * count) / total);
    this.#mean += (difference * count) / total;
    this.#count = total;
  }

  #carry(): void {
    for (let bin = 0; bin < FINE_BINS; bin++) {
      this.#carried[bin] = (this.#carried[bin] as number) + (this.#fine[bin] as number);
    }
    this.#fine.fill(0);
    this.#sinceCarry = 0;
  }

  #histogram(): Histogram {
    this.#carry();
    return this.#isInteger ? this.#integerHistogram() : this.#floatHistogram();
  }

  /** Bins have a whole width, so that each covers equally many values. */
  #integerHistogram(): Histogram {
    const width = Math.ceil((this.#max - this.#min + 1) / BINS);
    const edges: number[] = [];
    const counts: number[] = [];
    for (let edge = this.#min; edge <= this.#max; edge += width) {
      let count = 0;
      for (let value = edge; value < edge + width && value <= this.#max; value++) {
        count += this.#carried[value & 0xffff] as number;
      }
      edges.push(edge);
      counts.push(count);
    }
    edges.push((edges.at(-1) as number) + width);
    return { edges, counts };
  }

  /** An even grid from minimum to maximum, with each edge moved up to the next edge of a fine bin. */
  #floatHistogram(): Histogram {
    const [min, max] = [this.#min + 0, this.#max + 0];
    const edges: number[] = [min];
    const counts: number[] = [];
    const step = (max - min) / BINS;
    let count = 0;
    let wanted = 1;
    for (let rank = 0; rank < FINE_BINS; rank++) {
      const lower = lowerEdge(rank);
      // -0 and 0 are equal but have two fine bins: an edge at 0 goes below both.
      const reached = rank === ZERO_RANK - 1 ? 0 : lower;
      if (rank !== ZERO_RANK && (count > 0 || edges.length > 1)) {
        while (wanted < BINS && reached >= min + wanted * step) {
          if (lower > (edges.at(-1) as number) && lower < max) {
            edges.push(lower);
            counts.push(count);
            count = 0;
          }
          wanted++;
        }
      }
      count += this.#carried[patternOf(rank)] as number;
    }
    edges.push(max);
    counts.push(count);
    return { edges, counts };
  }
}

/** The upper 16 bits of floats in the order of their values: the negative ones downwards, then the positive ones. */
function patternOf(rank: number): number {
  return rank < ZERO_RANK ? 0xffff - rank : rank - ZERO_RANK;
}

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

/** The least value with the pattern of this rank. */
function lowerEdge(rank: number): number {
  const pattern = patternOf(rank);
  word[0] = rank < ZERO_RANK ? pattern * 65_536 + 0xffff : pattern * 65_536;
  return float[0] as number;
}
