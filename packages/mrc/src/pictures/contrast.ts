import type { Raster } from './raster.ts';

/** The values that are drawn as black and as white. Equal for an image without any contrast. */
export interface Limits {
  readonly black: number;
  readonly white: number;
}

/**
 * How black and white are chosen: mean ± 3 standard deviations of the usual values, or the 0.1 and 99.9 percentiles.
 * `cell` is `sigma` for each image of a montage by itself.
 */
export const CONTRASTS = ['sigma', 'percentile', 'cell'] as const;
export type Contrast = (typeof CONTRASTS)[number];

/** Percentiles from 0 to 100; `low` is below `high`. */
export interface Percentiles {
  readonly low: number;
  readonly high: number;
}

const DEFAULT_PERCENTILES: Percentiles = { low: 0.1, high: 99.9 };
/** 100 - 99.9 is less than 0.1. */
const ROUNDING = 1e-6;
const SIGMAS = 3;
/** The share of the values on each side that are not usual. */
const TAIL = 0.001;
/** In small pictures, at least as many values are not usual, up to a share: a camera has some tens of hot pixels. */
const TAIL_VALUES = 50;
const MAX_TAIL = 0.02;
const MID_GRAY = 128;

/**
 * The values of black and white. Infinite values and NaN do not count. For `sigma` the mean and the deviation are of the
 * values between the 0.1 and 99.9 percentiles, so that hot pixels do not matter. Both are 0 when nothing is finite.
 */
export function findLimits(values: Float32Array, contrast: Contrast | Percentiles): Limits {
  const sorted = values.filter(Number.isFinite).sort();
  if (sorted.length === 0) return { black: 0, white: 0 };
  const limits =
    contrast === 'percentile'
      ? percentileLimits(sorted, DEFAULT_PERCENTILES)
      : typeof contrast === 'object'
        ? percentileLimits(sorted, contrast)
        : sigmaLimits(usualOf(sorted));
  // Values other than the tails are all the same: the tails are the picture.
  return limits.black < limits.white ? limits : sigmaLimits(sorted);
}

/** Mean and standard deviation of the values between the 0.1 and 99.9 percentiles; NaN when nothing is finite. */
export function usualMoments(values: Float32Array): { mean: number; sd: number } {
  return momentsOf(usualOf(values.filter(Number.isFinite).sort()));
}

function usualOf(sorted: Float32Array): Float32Array {
  const { length } = sorted;
  const tail = Math.floor(Math.max(TAIL * length, Math.min(TAIL_VALUES, MAX_TAIL * length)));
  return sorted.subarray(tail, length - tail);
}

function momentsOf(values: Float32Array): { mean: number; sd: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, sd: Math.sqrt(variance) };
}

function sigmaLimits(values: Float32Array): Limits {
  const { mean, sd } = momentsOf(values);
  return { black: mean - SIGMAS * sd, white: mean + SIGMAS * sd };
}

function percentileLimits(sorted: Float32Array, { low, high }: Percentiles): Limits {
  const { length } = sorted;
  const count = (percent: number) => Math.min(length - 1, Math.floor((percent / 100) * length + ROUNDING));
  const [below, above] = [count(low), count(100 - high)];
  return { black: sorted[below] as number, white: sorted[length - 1 - above] as number };
}

/** 8-bit greys. 0 is black, NaN is black, and an image without contrast is mid grey. */
export function toGray({ values }: Raster, { black, white }: Limits): Uint8Array {
  const scale = 255 / (white - black);
  const gray = new Uint8Array(values.length);
  for (let i = 0; i < gray.length; i++) {
    const value = values[i] as number;
    if (Number.isNaN(value)) continue;
    gray[i] = white > black ? Math.min(255, Math.max(0, Math.round((value - black) * scale))) : MID_GRAY;
  }
  return gray;
}
