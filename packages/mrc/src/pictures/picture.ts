import type { IcePeak } from '../spectra/profile.ts';
import type { VoxelLayout } from '../voxels/voxels.ts';
import { shrink } from './box-mean.ts';
import { findLimits, type Limits, toGray } from './contrast.ts';
import { fileAxisOf, firstVolume, isTopFirst, orient, sizeInSpace } from './orientation.ts';
import { contrastOf, type PreviewRequest } from './preview-request.ts';
import { flipRows, type Raster } from './raster.ts';
import { sectionCount } from './section.ts';
import { logAmplitudes, withoutPadding } from './values.ts';

/** An 8-bit grey picture with its description. */
export interface Picture {
  readonly widthPx: number;
  readonly heightPx: number;
  /** Row by row from the top, 0 black, 255 white. */
  readonly gray: Uint8Array;
  /**
   * The values that are black and white, in the units of the file; of a spectrum and of a transform, logarithms; of a
   * montage with a contrast for each image, 0 and 1. Null for plots.
   */
  readonly black: number | null;
  readonly white: number | null;
  /** The number of the shown section from 0; null when several are shown. */
  readonly slice: number | null;
  /** A description of the picture in Latin-1. */
  readonly shows: string;
  /** Of a spectrum and its rotational average: the peak of ice, or null. */
  readonly ice?: IcePeak | null;
}

/**
 * Draws a section of the file or an average of its sections in the requested size, with square pixels, and in the right
 * orientation. Row 0 of the raster is the first of the file. It is drawn at the bottom, as MRC2014 defines; across z it
 * is drawn at the top when the layout has `isFlipped`. Across x and y, z always increases upwards. `given`: black and
 * white, when they are not those of the raster.
 */
export function toPicture(
  raster: Raster,
  layout: VoxelLayout,
  request: PreviewRequest,
  given: Limits | null = null,
): Picture {
  const upright = orient(drawable(shrink(raster, request.sizePx), layout), layout, request);
  const limits = given ?? findLimits(withoutPadding(upright), contrastOf(request));
  return paint(isTopFirst(layout, request) ? upright : flipRows(upright), layout, request, limits);
}

/** The complex modes: their data are already a Fourier transform. */
const TRANSFORM_MODES: readonly number[] = [3, 4];

export function isTransform({ mode }: Pick<VoxelLayout, 'mode'>): boolean {
  return TRANSFORM_MODES.includes(mode);
}

/** The values to draw: a transform is shown by the logarithms of its amplitudes, which differ by orders of magnitude. */
export function drawable(raster: Raster, layout: VoxelLayout): Raster {
  return isTransform(layout) ? logAmplitudes(raster) : raster;
}

/** Draws a raster whose row 0 is the top. `limits`: black and white, when they are not those of all pixels. */
export function paint(raster: Raster, layout: VoxelLayout, request: PreviewRequest, limits?: Limits): Picture {
  const { black, white } = limits ?? findLimits(raster.values, contrastOf(request));
  const { widthPx, heightPx } = raster;
  const gray = toGray(raster, { black, white });
  const slice = sliceOf(layout, request);
  return { widthPx, heightPx, gray, black, white, slice, shows: describe(layout, request, slice) };
}

/**
 * The number of the section that a picture shows, from 0: by default, for a section, the central one, floor(n / 2), of
 * the first volume. Null when it shows several.
 */
export function sliceOf(layout: VoxelLayout, { kind, axis, slice }: PreviewRequest): number | null {
  switch (kind) {
    case 'section':
      return slice ?? Math.floor(sectionCount(firstVolume(layout), fileAxisOf(layout, axis)) / 2);
    case 'spectrum':
    case 'profile':
      return slice ?? (layout.nz === 1 ? 0 : null);
    case 'average':
    case 'montage':
    case 'means':
      return null;
  }
}

function describe(layout: VoxelLayout, request: PreviewRequest, slice: number | null): string {
  const { kind, region, slab = 1, lowPass } = request;
  const whole = describeWhole(layout, request, slice);
  const sections = kind === 'section' && slab > 1 ? `, mean of ${slab} sections around it` : '';
  const part = region ? `, ${region.width} x ${region.height} voxels from ${region.x}, ${region.y}` : '';
  const filter = lowPass === undefined ? '' : `, low-pass ${lowPass} \xc5`;
  return `${whole}${sections}${part}${filter}`;
}

function describeWhole(layout: VoxelLayout, { kind, axis }: PreviewRequest, slice: number | null): string {
  const { nx, ny, nz, isFlipped } = layout;
  const size = `${sizeInSpace(layout).join(' x ')} voxels`;
  const first = isFlipped ? 'first row on top' : 'first row at the bottom';
  const one = layout.volumeSections === nz ? '' : ', of the first volume';
  switch (kind) {
    case 'section':
      return axis === 'z'
        ? `Section ${slice} of z (from 0) of ${size}, ${first}`
        : `Section ${slice} of ${axis} (from 0) of ${size}, ${axis === 'x' ? 'y' : 'x'} to the right, z up${one}`;
    case 'average':
      return `Average of the ${nz} sections of ${nx} x ${ny} voxels, ${first}`;
    case 'montage':
      return `The first sections of ${size}, from the top left, ${first}`;
    default:
      return `${kind} of ${size}`;
  }
}
