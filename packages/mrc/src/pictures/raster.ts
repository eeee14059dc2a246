/** A small grey image in the units of the file. NaN where it holds nothing finite. */
export interface Raster {
  readonly widthPx: number;
  readonly heightPx: number;
  /** Row by row; the function that makes the raster documents which row is the first. */
  readonly values: Float32Array;
}

/** The same image upside down. */
export function flipRows({ widthPx, heightPx, values }: Raster): Raster {
  const flipped = new Float32Array(values.length);
  for (let y = 0; y < heightPx; y++) {
    flipped.set(values.subarray(y * widthPx, (y + 1) * widthPx), (heightPx - 1 - y) * widthPx);
  }
  return { widthPx, heightPx, values: flipped };
}
