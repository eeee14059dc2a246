import { type Axis, isStandardOrder, toSpace } from '../header/axes.ts';
import type { Triple } from '../header/header.ts';
import type { VoxelLayout } from '../voxels/voxels.ts';
import type { PreviewRequest } from './preview-request.ts';
import type { Raster } from './raster.ts';
import { resample } from './resample.ts';

const AXES: readonly Axis[] = ['x', 'y', 'z'];

/** The axis of the file along which an axis in space runs: `x` its columns, `y` its rows, `z` its sections. */
export function fileAxisOf({ order }: Pick<VoxelLayout, 'order'>, axis: Axis): Axis {
  return AXES[order.indexOf(AXES.indexOf(axis))] as Axis;
}

/** Voxels along X, Y, Z. */
export function sizeInSpace({ order, nx, ny, nz }: VoxelLayout): Triple {
  return toSpace(order, [nx, ny, nz]);
}

/** The first volume of a stack of volumes; any other file as it is. */
export function firstVolume(layout: VoxelLayout): VoxelLayout {
  const { nz, volumeSections, dataBytes } = layout;
  if (volumeSections === nz) return layout;
  return { ...layout, nz: volumeSections, dataBytes: Math.ceil((dataBytes / nz) * volumeSections) };
}

/** True when the first row of the file is drawn at the top. Across x and y, z always increases upwards. */
export function isTopFirst({ isFlipped, order }: VoxelLayout, { kind, axis }: PreviewRequest): boolean {
  return isFlipped && (kind !== 'section' || (axis === 'z' && isStandardOrder(order)));
}

/** True when the columns of the file's section are drawn as rows. */
export function isTransposed(layout: VoxelLayout, request: Pick<PreviewRequest, 'kind' | 'axis'>): boolean {
  if (request.kind !== 'section') return false;
  const [columns, rows] = shownAxes(layout, request);
  return layout.order[columns] > layout.order[rows];
}

/** The axes of the file along which the columns and the rows of the file's section run. */
function shownAxes(
  layout: VoxelLayout,
  { kind, axis }: Pick<PreviewRequest, 'kind' | 'axis'>,
): readonly [0 | 1 | 2, 0 | 1 | 2] {
  const across = kind === 'section' ? AXES.indexOf(fileAxisOf(layout, axis)) : 2;
  return ([0, 1, 2] as const).filter((at) => at !== across) as [0 | 1 | 2, 0 | 1 | 2];
}

/**
 * Turns a section of the file, or an average of its sections, so that of the two axes in space the first in X, Y, Z
 * runs to the right and the other upwards, and draws its voxels to scale. Row 0 stays the first.
 */
export function orient(raster: Raster, layout: VoxelLayout, request: PreviewRequest): Raster {
  const { scale } = layout;
  const [columns, rows] = shownAxes(layout, request);
  const scaled = drawToScale(raster, scale[columns], scale[rows], request.sizePx);
  return isTransposed(layout, request) ? transpose(scaled) : scaled;
}

/** `width`, `height`: relative lengths of a pixel. The result is at most `sizePx` wide and high. */
function drawToScale(raster: Raster, width: number, height: number, sizePx: number): Raster {
  const { widthPx, heightPx } = raster;
  if (width === height) return raster;
  const pixel = Math.max(Math.min(width, height), (widthPx * width) / sizePx, (heightPx * height) / sizePx);
  const size = (count: number, length: number) => Math.max(1, Math.round((count * length) / pixel));
  return resample(raster, size(widthPx, width), size(heightPx, height));
}

function transpose({ widthPx, heightPx, values }: Raster): Raster {
  const turned = new Float32Array(values.length);
  for (let y = 0; y < heightPx; y++) {
    for (let x = 0; x < widthPx; x++) turned[x * heightPx + y] = values[y * widthPx + x] as number;
  }
  return { widthPx: heightPx, heightPx: widthPx, values: turned };
}
