import type { VoxelLayout } from '../voxels/voxels.ts';
import { countHot, FINE_BINS, FLOATS, SIGNED, UNSIGNED } from './fine-counts.ts';
import { floatHistogram, type Histogram, integerHistogram } from './histogram.ts';
import { IntegerCounts } from './integer-counts.ts';
import { Moments } from './moments.ts';

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
  /** Voxels above the mean by more than 20 standard deviations of the usual values; see `countHot`. */
  readonly hot: number;
  readonly histogram: Histogram | null;
}

/** Modes whose voxels are whole numbers of 16 bits at most, and those of them that are counted from their bytes. */
const INTEGER_MODES: readonly number[] = [0, 1, 6, 101];
const COUNTED_MODES: readonly number[] = [0, 1, 6];
/** Values summed together, as differences from one of them, so that no significant digits are lost. */
const BLOCK = 4096;
/** Fine bins count in 32 bits; they are carried over before they can overflow. */
const CARRY_AFTER = 2 ** 31;

/**
 * One-pass statistics of values that arrive in any order and in pieces of any size, exact to the rounding of float64.
 * Minimum, maximum and counts are exact. The histogram needs no range in advance: it is made of fine bins (see
 * `fine-counts.ts`). Mean and variance of whole numbers follow from the fine bins. Those of floats are summed relative
 * to a value of each block.
 */
export class Statistics {
  readonly #isInteger: boolean;
  readonly #isSigned: boolean;
  readonly #integers: IntegerCounts | null;
  readonly #fine = new Uint32Array(FINE_BINS);
  readonly #carried = new Float64Array(FINE_BINS);
  readonly #finite = new Float32Array(BLOCK);
  #sinceCarry = 0;
  /** Of floats only. */
  readonly #moments = new Moments();
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #nan = 0;
  #inf = 0;

  constructor(layout: Pick<VoxelLayout, 'mode'> & Partial<Pick<VoxelLayout, 'isSigned' | 'byteOrder'>>) {
    const { mode, isSigned = null, byteOrder = 'little' } = layout;
    this.#isInteger = INTEGER_MODES.includes(mode);
    this.#isSigned = mode !== 6;
    this.#integers = COUNTED_MODES.includes(mode) ? new IntegerCounts({ mode, isSigned, byteOrder }) : null;
    prime();
  }

  /** True when `addBytes` can be used: modes 0, 1 and 6. */
  get takesBytes(): boolean {
    return this.#integers !== null;
  }

  /** Adds whole voxels as they are in the file. `into` gets their mean and spread, too. */
  addBytes(bytes: Uint8Array, into: Moments | null = null): void {
    this.#integers?.add(bytes, this.#carried, into);
  }

  /** Adds `values[from]` up to, not including, `values[to]`. `into` gets their mean and spread, too. */
  add(values: Float32Array, from = 0, to = values.length, into: Moments | null = null): void {
    if (this.#sinceCarry + (to - from) > CARRY_AFTER) this.#carry();
    this.#sinceCarry += to - from;
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (let at = from; at < to; at += BLOCK) {
      const end = Math.min(at + BLOCK, to);
      if (this.#isInteger) this.#addIntegers(values, at, end, into);
      else this.#addFloats(values, bits, at, end, into);
    }
  }

  /** Adds the values of another instance of the same mode. */
  merge(other: Statistics): void {
    this.#carry();
    other.#carry();
    for (let bin = 0; bin < FINE_BINS; bin++) {
      this.#carried[bin] = (this.#carried[bin] as number) + (other.#carried[bin] as number);
    }
    this.#moments.merge(other.#moments.count, other.#moments.mean, other.#moments.m2);
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
    this.#nan += other.#nan;
    this.#inf += other.#inf;
  }

  result(): VoxelStatistics {
    this.#carry();
    if (this.#isInteger) return this.#integerResult();
    const [count, nan, inf] = [this.#moments.count, this.#nan, this.#inf];
    if (count === 0) return { ...NOTHING, nan, inf };
    // -0 would become 0 in JSON.
    const [min, max, mean] = [this.#min + 0, this.#max + 0, this.#moments.mean + 0];
    const histogram = floatHistogram(this.#carried, min, max);
    const hot = countHot(this.#carried, FLOATS, 0);
    return { count, min, max, mean, sd: this.#moments.sd, nan, inf, hot, histogram };
  }

  #integerResult(): VoxelStatistics {
    const fine = this.#carried;
    const ranking = this.#isSigned ? SIGNED : UNSIGNED;
    let [count, sum, min, max] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let rank = 0; rank < FINE_BINS; rank++) {
      const times = fine[ranking.patternOf(rank)] as number;
      if (times === 0) continue;
      const value = ranking.lowerEdge(rank);
      count += times;
      sum += times * value;
      min = Math.min(min, value);
      max = value;
    }
    if (count === 0) return NOTHING;
    const mean = sum / count;
    let squares = 0;
    for (let rank = 0; rank < FINE_BINS; rank++) {
      squares += (fine[ranking.patternOf(rank)] as number) * (ranking.lowerEdge(rank) - mean) ** 2;
    }
    const histogram = integerHistogram(fine, min, max);
    const sd = Math.sqrt(squares / count);
    return { count, min, max, mean, sd, nan: 0, inf: 0, hot: countHot(fine, ranking, 1), histogram };
  }

  #addIntegers(values: Float32Array, from: number, to: number, into: Moments | null): void {
    const fine = this.#fine;
    // Negative numbers use the upper half.
    for (let i = from; i < to; i++) {
      const bin = (values[i] as number) & 0xffff;
      fine[bin] = (fine[bin] as number) + 1;
    }
    if (into && sumUp(values, from, to)) mergeBlock(into, values[from] as number, to - from);
  }

  #addFloats(values: Float32Array, bits: Uint32Array, from: number, to: number, into: Moments | null): void {
    if (!this.#addMoments(values, from, to, into)) {
      this.#addFinite(values, bits, from, to, into);
      return;
    }
    const fine = this.#fine;
    for (let i = from; i < to; i++) {
      const bin = (bits[i] as number) >>> 16;
      fine[bin] = (fine[bin] as number) + 1;
    }
  }

  /** Adds a block with values that are not finite: the finite ones are copied together first. */
  #addFinite(values: Float32Array, bits: Uint32Array, from: number, to: number, into: Moments | null): void {
    const fine = this.#fine;
    const finite = this.#finite;
    let count = 0;
    for (let i = from; i < to; i++) {
      const value = values[i] as number;
      // NaN and the infinities: the difference with itself is not 0.
      if (value - value !== 0) {
        if (Number.isNaN(value)) this.#nan++;
        else this.#inf++;
        continue;
      }
      finite[count++] = value;
      const bin = (bits[i] as number) >>> 16;
      fine[bin] = (fine[bin] as number) + 1;
    }
    if (count > 0) this.#addMoments(finite, 0, count, into);
  }

  /** @returns false, without any change, when a value is not finite. */
  #addMoments(values: Float32Array, from: number, to: number, into: Moments | null): boolean {
    if (!sumUp(values, from, to)) return false;
    this.#min = Math.min(this.#min, block.min);
    this.#max = Math.max(this.#max, block.max);
    mergeBlock(this.#moments, values[from] as number, to - from);
    if (into) mergeBlock(into, values[from] as number, to - from);
    return true;
  }

  #carry(): void {
    for (let bin = 0; bin < FINE_BINS; bin++) {
      this.#carried[bin] = (this.#carried[bin] as number) + (this.#fine[bin] as number);
    }
    this.#fine.fill(0);
    this.#sinceCarry = 0;
    this.#integers?.carry(this.#carried);
  }
}

const NOTHING: VoxelStatistics = {
  count: 0,
  min: null,
  max: null,
  mean: null,
  sd: null,
  nan: 0,
  inf: 0,
  hot: 0,
  histogram: null,
};

/** The results of `sumUp`: of the differences from the first value, and of their squares. */
const block = { sum: 0, squares: 0, min: 0, max: 0 };

/**
 * Sums a block. Two sums run side by side, because each addition waits for the one before it.
 *
 * @returns false when a value is not finite.
 */
function sumUp(values: Float32Array, from: number, to: number): boolean {
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
  block.sum = sum0 + sum1;
  block.squares = squares0 + squares1;
  block.min = min;
  block.max = max;
  // A NaN or an infinity stays in a sum.
  return Number.isFinite(block.squares);
}

function mergeBlock(into: Moments, shift: number, count: number): void {
  const { sum, squares } = block;
  into.merge(count, shift + sum / count, Math.max(0, squares - (sum * sum) / count));
}

let isPrimed = false;

/**
 * Sums fractions once. If all floats that V8 has seen in `sumUp` are whole numbers, as in files of counts, it compiles
 * the loop for small integers, which takes 2.4 times as long.
 */
function prime(): void {
  if (isPrimed) return;
  isPrimed = true;
  const fractions = Float32Array.from({ length: BLOCK }, (_, i) => i + 0.5);
  for (let round = 0; round < 16; round++) sumUp(fractions, 0, BLOCK);
}
