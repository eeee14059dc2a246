import { readRows } from '../voxels/rows.ts';
import type { VoxelLayout, VoxelSource } from '../voxels/voxels.ts';
import { BoxMean, binFactor } from './box-mean.ts';
import type { Raster } from './raster.ts';

/** The mean of all sections, its long side at most `sizePx`; row 0 is the first of the file. Reads the whole file. */
export async function readAverage(source: VoxelSource, layout: VoxelLayout, sizePx: number): Promise<Raster> {
  const { nx, ny, nz } = layout;
  const mean = new BoxMean(nx, ny, binFactor(Math.max(nx, ny), sizePx));
  await readRows(source, layout, { from: 0, to: ny * nz }, { from: 0, to: nx }, (row, column, ...run) =>
    mean.addRun(row % ny, column, ...run),
  );
  return mean.raster();
}
