/** A Gaussian low-pass of pictures. */
import { toFile } from '../header/axes.ts';
import type { MrcHeader } from '../header/header.ts';
import { voxelSize } from '../header/meaning.ts';
import type { Raster } from '../pictures/raster.ts';
import type { VoxelLayout } from '../voxels/voxels.ts';

/**
 * The standard deviation of a Gaussian, relative to the wavelength that it halves: its transform is
 * exp(-2 π² σ² / λ²), which is 1/2 at σ = λ √(ln 2 / 2) / π.
 */
const SIGMA_OF_WAVELENGTH = Math.sqrt(Math.LN2 / 2) / Math.PI;
/** Beyond so many standard deviations the Gaussian is cut off. */
const REACH_SIGMAS = 3;
/** A box of this times the standard deviation takes nothing away that the low-pass would leave. */
const BOX_SIGMAS = 0.25;
/** Narrower Gaussians change no pixel visibly. */
const LEAST_SIGMA = 0.2;

/** Standard deviations along columns and rows. */
export type Sigmas = readonly [columns: number, rows: number];

/**
 * @param lowPass the resolution of which half of the amplitude is left, in Å.
 * @param axes of the file: those along which the columns and the rows of the raster run (0 columns, 1 rows, 2 sections).
 * @returns in voxels; null when the header has no voxel size.
 */
export function sigmasOf(
  header: MrcHeader,
  { order }: Pick<VoxelLayout, 'order'>,
  axes: readonly [0 | 1 | 2, 0 | 1 | 2],
  lowPass: number,
): Sigmas | null {
  const size = voxelSize(header);
  if (!size) return null;
  const [x, y, z] = size;
  const edges = toFile(order, [x, y, z === 0 ? x : z]);
  const sigma = (axis: 0 | 1 | 2) => (SIGMA_OF_WAVELENGTH * lowPass) / edges[axis];
  return [sigma(axes[0]), sigma(axes[1])];
}

/** The largest boxes, in voxels, whose means can be filtered instead of the voxels. At least 1. */
export function boxOf([columns, rows]: Sigmas): number {
  return Math.max(1, Math.floor(Math.min(columns, rows) * BOX_SIGMAS));
}

/** How many boxes around a picture change it. */
export function reachOf([columns, rows]: Sigmas, factor: number): number {
  return Math.ceil((Math.max(columns, rows) / factor) * REACH_SIGMAS);
}

/** @param sigmas in pixels of the raster. NaN stays NaN and does not count. */
export function lowPass({ widthPx, heightPx, values }: Raster, [columns, rows]: Sigmas): Raster {
  const sums = values.map((value) => (Number.isFinite(value) ? value : 0));
  const weights = values.map((value) => (Number.isFinite(value) ? 1 : 0));
  for (const plane of [sums, weights]) {
    blur(plane, { count: heightPx, step: widthPx }, { count: widthPx, step: 1 }, columns);
    blur(plane, { count: widthPx, step: 1 }, { count: heightPx, step: widthPx }, rows);
  }
  const filtered = values.map((value, at) => {
    return Number.isFinite(value) ? (sums[at] as number) / (weights[at] as number) : value;
  });
  return { widthPx, heightPx, values: filtered };
}

interface Direction {
  readonly count: number;
  /** From one element to the next. */
  readonly step: number;
}

/** Replaces each of `lines` by its convolution with a Gaussian; outside is 0. */
function blur(plane: Float32Array, lines: Direction, along: Direction, sigma: number): void {
  if (sigma < LEAST_SIGMA) return;
  const { count, step } = along;
  const reach = Math.ceil(sigma * REACH_SIGMAS);
  const kernel = Float64Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / 2 / sigma ** 2));
  const padded = new Float64Array(count + 2 * reach);
  for (let line = 0; line < lines.count; line++) {
    const start = line * lines.step;
    for (let i = 0; i < count; i++) padded[reach + i] = plane[start + i * step] as number;
    for (let i = 0; i < count; i++) {
      let sum = 0;
      for (let k = 0; k < kernel.length; k++) sum += (kernel[k] as number) * (padded[i + k] as number);
      plane[start + i * step] = sum;
    }
  }
}
