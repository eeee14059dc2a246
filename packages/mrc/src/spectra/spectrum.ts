import { findLimits, type Limits } from '../pictures/contrast.ts';
import type { Raster } from '../pictures/raster.ts';
import { readRows } from '../voxels/rows.ts';
import type { VoxelLayout, VoxelSource } from '../voxels/voxels.ts';
import { PowerSum } from './power.ts';

/** Pixels along the edge of a tile. */
const MAX_TILE = 512;
const MIN_TILE = 64;
const MAX_TILES = 64;
/** Radii in pixels: inside the first nothing is shown, inside the second nothing counts for the contrast. */
const BLANK_PX = 5;
const BRIGHT_PX = 10;
/** The power, in thousandths of its mean, below which the logarithm is flat. */
const LEAST_POWER = 0.001;

/** The largest power of two from 64 to 512 that fits into a section and the picture; null when none does. */
export function tileEdge({ nx, ny }: VoxelLayout, sizePx: number): number | null {
  const edge = 2 ** Math.floor(Math.log2(Math.min(nx, ny, sizePx, MAX_TILE)));
  return edge < MIN_TILE ? null : edge;
}

/**
 * The averaged power spectrum of a section: log(1 + P), where P is in thousandths of the mean power, so that the scale
 * of the image does not matter. It uses at most 64 tiles, spread evenly over a grid in which neighbours overlap by
 * half. As shown: row 0 is the top, frequency 0 lies at (edge / 2, edge / 2) and is NaN up to 5 pixels around.
 */
export async function readSpectrum(
  source: VoxelSource,
  layout: VoxelLayout,
  slice: number,
  edge: number,
): Promise<Raster> {
  const sum = new PowerSum(edge);
  const tile = new Float32Array(edge * edge);
  for (const { x, y } of placeTiles(layout, edge)) {
    const top = slice * layout.ny + y;
    await readRows(source, layout, { from: top, to: top + edge }, { from: x, to: x + edge }, (row, column, ...run) =>
      tile.set(run[0].subarray(run[1], run[2]), (row - top) * edge + column - x),
    );
    sum.add(tile);
  }
  return toRaster(sum.result(), edge, layout.isFlipped);
}

/** The values of a spectrum that are drawn black and white. */
export function spectrumLimits({ widthPx: edge, values }: Raster, contrast: 'sigma' | 'percentile'): Limits {
  const outer = values.map((value, index) => (radiusOf(index, edge) > BRIGHT_PX ? value : Number.NaN));
  return findLimits(outer, contrast);
}

function* placeTiles({ nx, ny }: VoxelLayout, edge: number): Generator<{ x: number; y: number }> {
  const step = edge / 2;
  const columns = Math.floor((nx - edge) / step) + 1;
  const places = columns * (Math.floor((ny - edge) / step) + 1);
  const count = Math.min(places, MAX_TILES);
  for (let i = 0; i < count; i++) {
    const place = Math.floor(((i + 0.5) * places) / count);
    yield { x: (place % columns) * step, y: Math.floor(place / columns) * step };
  }
}

function toRaster(power: Float64Array, edge: number, isFlipped: boolean): Raster {
  const unit = LEAST_POWER * (power.reduce((sum, value) => sum + value, 0) / power.length) || 1;
  const values = new Float32Array(edge * edge);
  const half = edge / 2;
  for (let index = 0; index < values.length; index++) {
    const kx = ((index % edge) + half) % edge;
    const down = Math.floor(index / edge) - half;
    const ky = ((isFlipped ? down : -down) + edge) % edge;
    values[index] =
      radiusOf(index, edge) < BLANK_PX ? Number.NaN : Math.log1p((power[ky * edge + kx] as number) / unit);
  }
  return { widthPx: edge, heightPx: edge, values };
}

function radiusOf(index: number, edge: number): number {
  return Math.hypot((index % edge) - edge / 2, Math.floor(index / edge) - edge / 2);
}
