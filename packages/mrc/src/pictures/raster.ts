import { BoxMean, binFactor } from './box-mean.ts';

/** A small grey image in the units of the file. NaN where it holds nothing finite. */
export interface Raster {
  readonly widthPx: number;
  readonly heightPx: number;
  /** Row by row; which row comes first is told by whoever made the raster. */
  readonly values: Float32Array;
}

/** The same image with a long side of at most `sizePx`; the raster itself when it is small enough. */
export function shrink(raster: Raster, sizePx: number): Raster {
  const { widthPx, heightPx, values } = raster;
  const factor = binFactor(Math.max(widthPx, heightPx), sizePx);
  if (factor === 1) return raster;
  const mean = new BoxMean(widthPx, heightPx, factor);
  for (let y = 0; y < heightPx; y++) mean.addRun(y, 0, values, y * widthPx, (y + 1) * widthPx);
  return mean.raster();
}

/** The same image upside down. */
export function flipRows({ widthPx, heightPx, values }: Raster): Raster {
  const flipped = new Float32Array(values.length);
  for (let y = 0; y < heightPx; y++) {
    flipped.set(values.subarray(y * widthPx, (y + 1) * widthPx), (heightPx - 1 - y) * widthPx);
  }
  return { widthPx, heightPx, values: flipped };
}
