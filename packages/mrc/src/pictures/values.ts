/** Values of a raster that are drawn or counted differently from what the file has. */
import type { Raster } from './raster.ts';

/**
 * The values without padding: the zeros that reach from an edge of the image inwards along rows and columns, as motion
 * correction, alignment and masks leave them. All values when the rest has no contrast.
 */
export function withoutPadding({ widthPx, heightPx, values }: Raster): Float32Array {
  const isPadding = new Uint8Array(values.length);
  const mark = (start: number, step: number, count: number) => {
    for (let i = 0, at = start; i < count && values[at] === 0; i++, at += step) isPadding[at] = 1;
  };
  for (let y = 0; y < heightPx; y++) {
    mark(y * widthPx, 1, widthPx);
    mark((y + 1) * widthPx - 1, -1, widthPx);
  }
  for (let x = 0; x < widthPx; x++) {
    mark(x, widthPx, heightPx);
    mark((heightPx - 1) * widthPx + x, -widthPx, heightPx);
  }
  const image = values.filter((_, at) => isPadding[at] === 0);
  return image.some((value) => value !== image[0]) ? image : values;
}

/** Amplitudes below this, relative to their median, look the same. */
const LEAST_AMPLITUDE = 0.001;

/** The logarithms of the amplitudes of a Fourier transform, in units of their median. */
export function logAmplitudes({ widthPx, heightPx, values }: Raster): Raster {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value)).sort();
  const median = positive[positive.length >> 1] ?? 1;
  return { widthPx, heightPx, values: values.map((value) => Math.log(value / median + LEAST_AMPLITUDE)) };
}
