/** Reads what a section, a slab or an average shows: all of it or a region, as it is or through a low-pass. */
import type { Axis } from '../header/axes.ts';
import type { MrcHeader } from '../header/header.ts';
import { binFactor } from '../pictures/box-mean.ts';
import { findLimits, type Limits } from '../pictures/contrast.ts';
import { fileAxisOf, isTopFirst, isTransposed } from '../pictures/orientation.ts';
import { contrastOf, type PreviewRequest, type Region } from '../pictures/preview-request.ts';
import type { Raster } from '../pictures/raster.ts';
import { readSections, sectionSize } from '../pictures/section.ts';
import { withoutPadding } from '../pictures/values.ts';
import type { Stretch } from '../voxels/rows.ts';
import type { VoxelLayout, VoxelSource } from '../voxels/voxels.ts';
import { boxOf, lowPass, reachOf, type Sigmas, sigmasOf } from './low-pass.ts';
import { together, WindowMean } from './window-mean.ts';

export interface View {
  /** Row 0 is the first of the file. */
  readonly raster: Raster;
  /** Of a region: black and white by the whole section. Null: by what is shown. */
  readonly limits: Limits | null;
}

/** A sample of a section, from which a region's black and white are: tiles of so many boxes, so many in each direction. */
const TILE_BOXES = 64;
const TILES = 4;

/** What is refused, in words. */
export type ViewRefusal = { readonly code: 'region_out_of_range' | 'not_applicable'; readonly message: string };

/**
 * @param slices of the file's axis that the request is across; their mean is shown.
 * Its memory is 20 bytes for each pixel of the requested size, and up to 2 MiB for the sample.
 */
export async function readView(
  source: VoxelSource,
  header: MrcHeader,
  layout: VoxelLayout,
  slices: Stretch,
  request: PreviewRequest,
): Promise<View | ViewRefusal> {
  const axis = request.kind === 'section' ? fileAxisOf(layout, request.axis) : 'z';
  const sigmas = findSigmas(header, layout, axis, request);
  if (sigmas === 'unknown') {
    return { code: 'not_applicable', message: 'A low-pass needs the size of a voxel in Å; the header has none.' };
  }
  const [width, height] = sectionSize(layout, axis);
  const region = request.region && inFile(request.region, layout, [width, height], request);
  if (region && !isInside(region, width, height)) return outside(layout, [width, height], request);
  const shown = region ?? { x: 0, y: 0, width, height };
  const least = sigmas ? boxOf(sigmas) : 1;
  const factor = Math.max(least, binFactor(Math.max(shown.width, shown.height), request.sizePx));
  const filter = { factor, sigmas };
  const picture = new Part(shown, [width, height], filter);
  const tiles = region ? tilesOf([width, height], factor).map((tile) => new Part(tile, [width, height], filter)) : [];
  await readSections(source, layout, axis, slices, together([picture, ...tiles].map(({ sink }) => sink)));
  return { raster: picture.raster(), limits: region ? limitsOf(tiles, request) : null };
}

function findSigmas(
  header: MrcHeader,
  layout: VoxelLayout,
  axis: Axis,
  request: PreviewRequest,
): Sigmas | null | 'unknown' {
  if (request.lowPass === undefined) return null;
  const axes = ({ x: [1, 2], y: [0, 2], z: [0, 1] } as const)[axis];
  return sigmasOf(header, layout, axes, request.lowPass) ?? 'unknown';
}

/** A part of the section, and of the voxels around it those that its low-pass needs. */
class Part {
  readonly sink: WindowMean;
  readonly #shown: Region;
  readonly #window: Region;
  readonly #factor: number;
  readonly #sigmas: Sigmas | null;

  constructor(shown: Region, [width, height]: readonly [number, number], filter: Filter) {
    const { factor, sigmas } = filter;
    const margin = sigmas ? reachOf(sigmas, factor) * factor : 0;
    // A whole number of boxes before the shown ones.
    const left = Math.min(margin, Math.floor(shown.x / factor) * factor);
    const top = Math.min(margin, Math.floor(shown.y / factor) * factor);
    const [x, y] = [shown.x - left, shown.y - top];
    this.#window = {
      x,
      y,
      width: Math.min(width, shown.x + shown.width + margin) - x,
      height: Math.min(height, shown.y + shown.height + margin) - y,
    };
    this.#shown = shown;
    this.#factor = factor;
    this.#sigmas = sigmas;
    this.sink = new WindowMean(this.#window, factor);
  }

  raster(): Raster {
    const factor = this.#factor;
    const read = this.sink.raster();
    const sigmas = this.#sigmas;
    const filtered = sigmas ? lowPass(read, [sigmas[0] / factor, sigmas[1] / factor]) : read;
    const left = (this.#shown.x - this.#window.x) / factor;
    const top = (this.#shown.y - this.#window.y) / factor;
    return crop(filtered, left, top, Math.ceil(this.#shown.width / factor), Math.ceil(this.#shown.height / factor));
  }
}

interface Filter {
  /** The edge of a box, in voxels. */
  readonly factor: number;
  /** Of the low-pass, in voxels. */
  readonly sigmas: Sigmas | null;
}

function crop(raster: Raster, left: number, top: number, widthPx: number, heightPx: number): Raster {
  if (widthPx === raster.widthPx && heightPx === raster.heightPx) return raster;
  const values = new Float32Array(widthPx * heightPx);
  for (let y = 0; y < heightPx; y++) {
    const start = (top + y) * raster.widthPx + left;
    values.set(raster.values.subarray(start, start + widthPx), y * widthPx);
  }
  return { widthPx, heightPx, values };
}

/** Evenly over the section, from edge to edge; the whole of a small one. */
function tilesOf([width, height]: readonly [number, number], factor: number): Region[] {
  const edge = TILE_BOXES * factor;
  const starts = (length: number) => {
    const count = Math.min(TILES, Math.ceil(length / edge));
    const last = length - Math.min(edge, length);
    return Array.from({ length: count }, (_, i) => (count === 1 ? 0 : Math.round((i * last) / (count - 1))));
  };
  const [across, down] = [Math.min(edge, width), Math.min(edge, height)];
  return starts(height).flatMap((y) => starts(width).map((x) => ({ x, y, width: across, height: down })));
}

function limitsOf(tiles: readonly Part[], request: PreviewRequest): Limits {
  const rasters = tiles.map((tile) => tile.raster());
  // Tiles without any contrast are padding.
  const varied = rasters.filter(({ values }) => values.some((value) => value !== values[0]));
  const parts = (varied.length > 0 ? varied : rasters).map(withoutPadding);
  const values = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    values.set(part, at);
    at += part.length;
  }
  return findLimits(values, contrastOf(request));
}

/** A region of the picture in columns and rows of the file's section. */
function inFile(
  region: Region,
  layout: VoxelLayout,
  [width, height]: readonly [number, number],
  request: PreviewRequest,
): Region {
  const isTurned = isTransposed(layout, request);
  const rows = isTurned ? width : height;
  const y = isTopFirst(layout, request) ? region.y : rows - region.y - region.height;
  return isTurned
    ? { x: y, y: region.x, width: region.height, height: region.width }
    : { x: region.x, y, width: region.width, height: region.height };
}

function isInside({ x, y, width, height }: Region, columns: number, rows: number): boolean {
  return width > 0 && height > 0 && x >= 0 && y >= 0 && x + width <= columns && y + height <= rows;
}

function outside(layout: VoxelLayout, size: readonly [number, number], request: PreviewRequest): ViewRefusal {
  const [width, height] = isTransposed(layout, request) ? [size[1], size[0]] : size;
  return {
    code: 'region_out_of_range',
    message: `The region is not within the ${width} × ${height} voxels of the picture, or is empty.`,
  };
}
