import { type Contrast, findLimits, type Limits, type Percentiles } from '../pictures/contrast.ts';
import type { Raster } from '../pictures/raster.ts';
import { fillSymmetric, flatten, smoothAlongRings } from './flatten.ts';
import type { SpectrumPlan, SpectrumRange } from './plan.ts';
import { type PowerSpectrum, powerAt } from './power.ts';

/** Lengths in pixels of a picture of 512; those of other sizes are in proportion. */
const REFERENCE_PX = 512;
/** Radii: inside the first nothing is shown, inside the second, and in the corners, nothing counts for the contrast. */
const BLANK_PX = 5;
const BRIGHT_PX = 14;
/** Standard deviation of the Gaussian that is the local mean; the ring of ice is wider than Thon rings. */
const LOCAL_PX: Readonly<Record<SpectrumRange, number>> = { thon: 10, full: 30 };
/** The width of the window's peak around frequency 0, in units of 1 / edge. */
const WINDOW_PEAK = 2;
/** Powers below this, relative to the median, look the same. */
const LEAST_POWER = 1e-6;

/**
 * The logarithm of a power spectrum as it is shown: row 0 is the top, frequency 0 lies at floor(sizePx / 2) in both
 * directions and is NaN around. The local mean is subtracted, because the power falls by orders of magnitude from the
 * middle to the edge. For Thon rings, noise is smoothed along the rings. Each pixel is a mean of the frequencies that it
 * covers.
 */
export function viewSpectrum(
  spectrum: PowerSpectrum,
  { edge, crop }: SpectrumPlan,
  range: SpectrumRange,
  sizePx: number,
  isFlipped: boolean,
): Raster {
  const step = (crop * edge) / sizePx;
  const reach = Math.max(1, step);
  const half = Math.floor(sizePx / 2);
  const blank = Math.max(inProportion(BLANK_PX, sizePx), WINDOW_PEAK / step);
  const values = fillSymmetric(sizePx, (x, y) => {
    if (Math.hypot(x - half, y - half) < blank) return Number.NaN;
    return powerAt(spectrum, (x - half) * step, (isFlipped ? y - half : half - y) * step, reach);
  });
  const raster = { widthPx: sizePx, heightPx: sizePx, values: logarithms(values) };
  const flat = flatten(raster, inProportion(LOCAL_PX[range], sizePx));
  return range === 'thon' ? smoothAlongRings(flat) : flat;
}

/** The values of a shown spectrum that are drawn black and white, by those between the middle and the edge. */
export function spectrumLimits({ widthPx: sizePx, values }: Raster, contrast: Contrast | Percentiles): Limits {
  const half = Math.floor(sizePx / 2);
  const bright = inProportion(BRIGHT_PX, sizePx);
  const between = values.filter((_, at) => {
    const radius = Math.hypot((at % sizePx) - half, Math.floor(at / sizePx) - half);
    return radius > bright && radius < half;
  });
  return findLimits(between, contrast);
}

function inProportion(lengthPx: number, sizePx: number): number {
  return (lengthPx * sizePx) / REFERENCE_PX;
}

function logarithms(powers: Float32Array): Float32Array {
  const sorted = powers.filter((power) => power > 0).sort();
  const median = sorted[sorted.length >> 1] ?? 1;
  return powers.map((power) => Math.log(power / median + LEAST_POWER));
}
