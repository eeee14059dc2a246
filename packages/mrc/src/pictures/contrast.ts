import type { Raster } from './raster.ts';

/** The values that are drawn as black and as white. Equal for an image without any contrast. */
export interface Limits {
  readonly black: number;
  readonly white: number;
}

const SIGMAS = 3;
const TAIL = 0.001;
const MID_GRAY = 128;

/**
 * The values of black and white: mean ± 3 standard deviations of the finite values, or their 0.1 and 99.9 percentiles.
 * Both are 0 when nothing is finite.
 */
export function findLimits(values: Float32Array, contrast: 'sigma' | 'percentile'): Limits {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return { black: 0, white: 0 };
  return contrast === 'sigma' ? sigmaLimits(finite) : percentileLimits(finite);
}

function sigmaLimits(values: Float32Array): Limits {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const reach = SIGMAS * Math.sqrt(variance);
  return { black: mean - reach, white: mean + reach };
}

function percentileLimits(values: Float32Array): Limits {
  const sorted = values.sort();
  const tail = Math.floor(TAIL * sorted.length);
  return { black: sorted[tail] as number, white: sorted[sorted.length - 1 - tail] as number };
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
