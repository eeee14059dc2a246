import type { Raster } from './raster.ts';

/** The edge of a box, in voxels, with which `longSidePx` voxels fit into `sizePx` boxes; at least 1. */
export function binFactor(longSidePx: number, sizePx: number): number {
  return Math.max(1, Math.ceil(longSidePx / sizePx));
}

/**
 * Shrinks an image by a whole factor: each pixel is the mean of the finite voxels in a box of factor × factor. Boxes at
 * the far edges may be smaller. Voxels may be added in any order. Voxels added at the same position again, such as
 * those of further frames, are averaged with the earlier ones.
 */
export class BoxMean {
  readonly #factor: number;
  readonly #widthPx: number;
  readonly #heightPx: number;
  readonly #sums: Float64Array;
  readonly #counts: Float64Array;

  /** `width`, `height`: size of the full image in voxels. The memory is 16 bytes × width × height / factor². */
  constructor(width: number, height: number, factor: number) {
    this.#factor = factor;
    this.#widthPx = Math.ceil(width / factor);
    this.#heightPx = Math.ceil(height / factor);
    this.#sums = new Float64Array(this.#widthPx * this.#heightPx);
    this.#counts = new Float64Array(this.#sums.length);
  }

  /** Every row counts. */
  wants(_row: number): boolean {
    return true;
  }

  /** Adds voxels of row `y`, starting at column `x`: `values` from index `from` up to, not including, `to`. */
  addRun(y: number, x: number, values: Float32Array, from: number, to: number): void {
    const factor = this.#factor;
    const sums = this.#sums;
    const counts = this.#counts;
    const column = Math.floor(x / factor);
    let box = Math.floor(y / factor) * this.#widthPx + column;
    let boxEnd = from + (column + 1) * factor - x;
    for (let start = from; start < to; start = boxEnd, boxEnd += factor, box++) {
      const end = boxEnd < to ? boxEnd : to;
      let sum = 0;
      for (let i = start; i < end; i++) sum += values[i] as number;
      let count = end - start;
      if (!Number.isFinite(sum)) [sum, count] = sumFinite(values, start, end);
      sums[box] = (sums[box] as number) + sum;
      counts[box] = (counts[box] as number) + count;
    }
  }

  /** The means of the voxels added so far. NaN where none was finite. */
  raster(): Raster {
    const values = new Float32Array(this.#sums.length);
    for (let i = 0; i < values.length; i++) values[i] = (this.#sums[i] as number) / (this.#counts[i] as number);
    return { widthPx: this.#widthPx, heightPx: this.#heightPx, values };
  }
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

function sumFinite(values: Float32Array, start: number, end: number): [sum: number, count: number] {
  let sum = 0;
  let count = 0;
  for (let i = start; i < end; i++) {
    const value = values[i] as number;
    if (!Number.isFinite(value)) continue;
    sum += value;
    count++;
  }
  return [sum, count];
}
