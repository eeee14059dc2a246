import type { VoxelLayout } from '../voxels/voxels.ts';
import { shrink } from './box-mean.ts';
import { findLimits, type Limits, toGray } from './contrast.ts';
import type { PreviewRequest } from './preview-request.ts';
import { flipRows, type Raster } from './raster.ts';
import { sectionCount } from './section.ts';

/** A picture to look at. */
export interface Picture {
  readonly widthPx: number;
  readonly heightPx: number;
  /** Row by row from the top, 0 black, 255 white. */
  readonly gray: Uint8Array;
  /** The values that are black and white, in the units of the file; of a spectrum, those of the scaled logarithm. */
  readonly black: number;
  readonly white: number;
  /** The section that is shown, from 0; null when it is of several. */
  readonly slice: number | null;
  /** What is to be seen, in Latin-1. */
  readonly shows: string;
}

/**
 * Draws a section, or an average of sections, whose row 0 is the first of the file: as small as `request` asks for, and
 * the right way up. The first row goes to the bottom, by MRC2014; it goes to the top in z sections when the layout says
 * so (`isFlipped`), which is of rows: the z of the other sections always goes up.
 */
export function toPicture(raster: Raster, layout: VoxelLayout, request: PreviewRequest): Picture {
  const small = shrink(raster, request.sizePx);
  const isTopFirst = layout.isFlipped && (request.kind !== 'section' || request.axis === 'z');
  return paint(isTopFirst ? small : flipRows(small), layout, request);
}

/** Draws a raster whose row 0 is the top. `limits`: black and white, when all its pixels together do not tell. */
export function paint(raster: Raster, layout: VoxelLayout, request: PreviewRequest, limits?: Limits): Picture {
  const { black, white } = limits ?? findLimits(raster.values, request.contrast);
  const { widthPx, heightPx } = raster;
  const gray = toGray(raster, { black, white });
  const slice = sliceOf(layout, request);
  return { widthPx, heightPx, gray, black, white, slice, shows: describe(layout, request, slice) };
}

/** The section that a picture is of, from 0: by default floor(n / 2). Null when it is of several. */
export function sliceOf(layout: VoxelLayout, { kind, axis, slice }: PreviewRequest): number | null {
  if (kind === 'average' || kind === 'montage') return null;
  return slice ?? Math.floor(sectionCount(layout, kind === 'section' ? axis : 'z') / 2);
}

function describe(layout: VoxelLayout, { kind, axis }: PreviewRequest, slice: number | null): string {
  const { nx, ny, nz, isFlipped } = layout;
  const size = `${nx} x ${ny} x ${nz} voxels`;
  const first = isFlipped ? 'first row on top' : 'first row at the bottom';
  switch (kind) {
    case 'section':
      return axis === 'z'
        ? `Section ${slice} of z (from 0) of ${size}, ${first}`
        : `Section ${slice} of ${axis} (from 0) of ${size}, ${axis === 'x' ? 'y' : 'x'} to the right, z up`;
    case 'average':
      return `Average of the ${nz} sections of ${nx} x ${ny} voxels, ${first}`;
    case 'montage':
      return `The first sections of ${size}, from the top left, ${first}`;
    case 'spectrum':
      return `Logarithm of the power spectrum of section ${slice} (from 0) of ${size}, ${first}`;
  }
}
