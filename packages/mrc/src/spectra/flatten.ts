import type { Raster } from '../pictures/raster.ts';

/** Subtracts the mean of the surroundings, weighed by a Gaussian. NaN stays NaN and does not count. */
export function flatten({ widthPx, heightPx, values }: Raster, sigmaPx: number): Raster {
  const sums = values.map((value) => (Number.isNaN(value) ? 0 : value));
  const weights = values.map((value) => (Number.isNaN(value) ? 0 : 1));
  for (const plane of [sums, weights]) {
    for (let y = 0; y < heightPx; y++) blur(plane, y * widthPx, 1, widthPx, sigmaPx);
    for (let x = 0; x < widthPx; x++) blur(plane, x, widthPx, heightPx, sigmaPx);
  }
  return {
    widthPx,
    heightPx,
    values: values.map((value, at) => value - (sums[at] as number) / (weights[at] as number)),
  };
}

/** Box means one after the other, which together are nearly a Gaussian. */
const BOXES = 3;

/** Smooths a row or a column in place, by about a Gaussian; outside is 0. */
function blur(plane: Float32Array, start: number, step: number, count: number, sigma: number): void {
  const reach = Math.max(1, Math.round((Math.sqrt((12 * sigma * sigma) / BOXES + 1) - 1) / 2));
  let line = Float64Array.from({ length: count }, (_, i) => plane[start + i * step] as number);
  for (let box = 0; box < BOXES; box++) line = boxMean(line, reach);
  for (let i = 0; i < count; i++) plane[start + i * step] = line[i] as number;
}

function boxMean(line: Float64Array, reach: number): Float64Array<ArrayBuffer> {
  const { length } = line;
  const means = new Float64Array(length);
  let sum = 0;
  for (let i = 0; i < Math.min(reach, length); i++) sum += line[i] as number;
  for (let i = 0; i < length; i++) {
    if (i + reach < length) sum += line[i + reach] as number;
    means[i] = sum / (2 * reach + 1);
    if (i - reach >= 0) sum -= line[i - reach] as number;
  }
  return means;
}

/**
 * A square of values that are the same on opposite sides of the pixel at floor(sizePx / 2): those that are the mirror of
 * an earlier one are not computed.
 */
export function fillSymmetric(sizePx: number, compute: (x: number, y: number) => number): Float32Array {
  const values = new Float32Array(sizePx * sizePx);
  const twice = 2 * Math.floor(sizePx / 2);
  for (let y = 0; y < sizePx; y++) {
    for (let x = 0; x < sizePx; x++) {
      const [mirroredX, mirroredY] = [twice - x, twice - y];
      const isKnown = mirroredX < sizePx && (mirroredY < y || (mirroredY === y && mirroredX < x));
      values[y * sizePx + x] = isKnown ? (values[mirroredY * sizePx + mirroredX] as number) : compute(x, y);
    }
  }
  return values;
}

/** Standard deviation of the Gaussian along a ring, and the angles at which it is taken, with their weights. */
const RING_RADIANS = (2 * Math.PI) / 180;
const ANGLES = Array.from({ length: 10 }, (_, i) => 0.2 * (i + 1) * RING_RADIANS).map((angle) => ({
  cos: Math.cos(angle),
  sin: Math.sin(angle),
  weight: Math.exp(-((angle / RING_RADIANS) ** 2) / 2),
}));

/**
 * Averages each pixel with its neighbours at the same distance from the middle, by a Gaussian of 2°. Thon rings stay as
 * sharp as they are, also the ellipses of astigmatism, and the noise between them is less. NaN stays NaN.
 */
export function smoothAlongRings({ widthPx: sizePx, values }: Raster): Raster {
  const half = Math.floor(sizePx / 2);
  const smooth = fillSymmetric(sizePx, (column, row) => {
    const value = values[row * sizePx + column] as number;
    if (Number.isNaN(value)) return value;
    const [x, y] = [column - half, row - half];
    let sum = value;
    let weights = 1;
    for (const { cos, sin, weight } of ANGLES) {
      const before = between(values, sizePx, half + x * cos - y * sin, half + y * cos + x * sin);
      const after = between(values, sizePx, half + x * cos + y * sin, half + y * cos - x * sin);
      if (!Number.isNaN(before)) {
        sum += weight * before;
        weights += weight;
      }
      if (!Number.isNaN(after)) {
        sum += weight * after;
        weights += weight;
      }
    }
    return sum / weights;
  });
  return { widthPx: sizePx, heightPx: sizePx, values: smooth };
}

/** The value between four pixels; NaN outside, and where one of them is NaN. */
function between(values: Float32Array, sizePx: number, x: number, y: number): number {
  const left = Math.floor(x);
  const top = Math.floor(y);
  if (left < 0 || top < 0 || left + 1 >= sizePx || top + 1 >= sizePx) return Number.NaN;
  const right = x - left;
  const at = top * sizePx + left;
  const upper = (values[at] as number) * (1 - right) + (values[at + 1] as number) * right;
  const lower = (values[at + sizePx] as number) * (1 - right) + (values[at + sizePx + 1] as number) * right;
  return upper + (lower - upper) * (y - top);
}
