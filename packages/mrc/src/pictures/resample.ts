import type { Raster } from './raster.ts';

/** The same image with another number of pixels: means where it becomes smaller, linear between pixels where larger. */
export function resample({ widthPx, heightPx, values }: Raster, toWidthPx: number, toHeightPx: number): Raster {
  const rows = new Float32Array(toWidthPx * heightPx);
  const columns = weigh(widthPx, toWidthPx);
  for (let y = 0; y < heightPx; y++) {
    for (let x = 0; x < toWidthPx; x++) {
      rows[y * toWidthPx + x] = mean(columns[x] as Weights, (at) => values[y * widthPx + at] as number);
    }
  }
  const resampled = new Float32Array(toWidthPx * toHeightPx);
  weigh(heightPx, toHeightPx).forEach((weights, y) => {
    for (let x = 0; x < toWidthPx; x++) {
      resampled[y * toWidthPx + x] = mean(weights, (at) => rows[at * toWidthPx + x] as number);
    }
  });
  return { widthPx: toWidthPx, heightPx: toHeightPx, values: resampled };
}

/** Pixels of the original that one pixel is made of, with their shares. */
type Weights = readonly (readonly [at: number, share: number])[];

function weigh(from: number, to: number): Weights[] {
  const ratio = from / to;
  return Array.from({ length: to }, (_, index) => {
    const start = index * ratio;
    if (ratio <= 1) {
      const centre = Math.min(from - 1, Math.max(0, start + ratio / 2 - 0.5));
      const left = Math.floor(centre);
      const share = centre - left;
      return share === 0 ? [[left, 1]] : [[left, 1 - share] as const, [left + 1, share] as const];
    }
    const end = Math.min(from, start + ratio);
    const weights: [number, number][] = [];
    for (let at = Math.floor(start); at < end; at++) weights.push([at, Math.min(at + 1, end) - Math.max(at, start)]);
    return weights;
  });
}

/** NaN where none of the pixels is a number. */
function mean(weights: Weights, valueAt: (at: number) => number): number {
  let sum = 0;
  let shares = 0;
  for (const [at, share] of weights) {
    const value = valueAt(at);
    if (Number.isNaN(value)) continue;
    sum += share * value;
    shares += share;
  }
  return sum / shares;
}
