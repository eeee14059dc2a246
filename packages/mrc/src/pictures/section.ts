import type { Axis } from '../header/axes.ts';
import { readRows } from '../voxels/rows.ts';
import type { VoxelLayout, VoxelSource } from '../voxels/voxels.ts';
import { BoxMean, binFactor } from './box-mean.ts';
import type { Raster } from './raster.ts';

/** How many sections there are perpendicular to an axis of the file: x its columns, y its rows, z its sections. */
export function sectionCount({ nx, ny, nz }: VoxelLayout, axis: Axis): number {
  return { x: nx, y: ny, z: nz }[axis];
}

/**
 * One section, its long side at most `sizePx`; row 0 is the first of the file. Columns and rows are y and z for a
 * section perpendicular to x, x and z for y, x and y for z. A z section is one range of the file. A y section needs one
 * row of every z. An x section needs a voxel of every row, so the whole file is read unless its rows are long.
 */
export function readSection(
  source: VoxelSource,
  layout: VoxelLayout,
  axis: Axis,
  slice: number,
  sizePx: number,
): Promise<Raster> {
  return { x: readX, y: readY, z: readZ }[axis](source, layout, slice, sizePx);
}

async function readZ(source: VoxelSource, layout: VoxelLayout, slice: number, sizePx: number): Promise<Raster> {
  const { nx, ny } = layout;
  const mean = new BoxMean(nx, ny, binFactor(Math.max(nx, ny), sizePx));
  const first = slice * ny;
  await readRows(source, layout, { from: first, to: first + ny }, { from: 0, to: nx }, (row, column, ...run) =>
    mean.addRun(row - first, column, ...run),
  );
  return mean.raster();
}

async function readY(source: VoxelSource, layout: VoxelLayout, slice: number, sizePx: number): Promise<Raster> {
  const { nx, ny, nz } = layout;
  const mean = new BoxMean(nx, nz, binFactor(Math.max(nx, nz), sizePx));
  for (let z = 0; z < nz; z++) {
    const row = z * ny + slice;
    await readRows(source, layout, { from: row, to: row + 1 }, { from: 0, to: nx }, (_, column, ...run) =>
      mean.addRun(z, column, ...run),
    );
  }
  return mean.raster();
}

async function readX(source: VoxelSource, layout: VoxelLayout, slice: number, sizePx: number): Promise<Raster> {
  const { ny, nz } = layout;
  const mean = new BoxMean(ny, nz, binFactor(Math.max(ny, nz), sizePx));
  await readRows(source, layout, { from: 0, to: ny * nz }, { from: slice, to: slice + 1 }, (row, _, ...run) =>
    mean.addRun(Math.floor(row / ny), row % ny, ...run),
  );
  return mean.raster();
}
