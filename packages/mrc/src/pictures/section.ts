import type { Axis } from '../header/axes.ts';
import { readRows, type Stretch } from '../voxels/rows.ts';
import type { VoxelLayout, VoxelSource } from '../voxels/voxels.ts';
import { BoxMean, binFactor } from './box-mean.ts';
import type { Raster } from './raster.ts';

/** How many sections there are perpendicular to an axis of the file: x its columns, y its rows, z its sections. */
export function sectionCount({ nx, ny, nz }: VoxelLayout, axis: Axis): number {
  return { x: nx, y: ny, z: nz }[axis];
}

/** The columns and rows of a section: y and z for one perpendicular to x, x and z for y, x and y for z. */
export function sectionSize({ nx, ny, nz }: VoxelLayout, axis: Axis): readonly [width: number, height: number] {
  return ({ x: [ny, nz], y: [nx, nz], z: [nx, ny] } as const)[axis];
}

/** Receives the voxels of sections, those at the same position of each section one after the other. */
export interface VoxelSink {
  /** False for a row of the section that need not be read. */
  wants(row: number): boolean;
  /** Voxels of a row, starting at `column`: `values` from index `from` up to, not including, `to`. */
  addRun(row: number, column: number, values: Float32Array, from: number, to: number): void;
}

/** One section, its long side at most `sizePx`; row 0 is the first of the file. */
export async function readSection(
  source: VoxelSource,
  layout: VoxelLayout,
  axis: Axis,
  slice: number,
  sizePx: number,
): Promise<Raster> {
  const [width, height] = sectionSize(layout, axis);
  const mean = new BoxMean(width, height, binFactor(Math.max(width, height), sizePx));
  await readSections(source, layout, axis, { from: slice, to: slice + 1 }, mean);
  return mean.raster();
}

/**
 * Reads the wanted rows of some sections. A z section is one range of the file. A y section needs one row of every z.
 * An x section needs a voxel of every row, so the whole file is read unless its rows are long.
 */
export function readSections(
  source: VoxelSource,
  layout: VoxelLayout,
  axis: Axis,
  slices: Stretch,
  sink: VoxelSink,
): Promise<void> {
  return { x: readX, y: readY, z: readZ }[axis](source, layout, slices, sink);
}

async function readZ(source: VoxelSource, layout: VoxelLayout, slices: Stretch, sink: VoxelSink): Promise<void> {
  const { nx, ny } = layout;
  const all = { from: slices.from * ny, to: slices.to * ny };
  for (const rows of wantedRows(all, (row) => sink.wants(row % ny))) {
    await readRows(source, layout, rows, { from: 0, to: nx }, (row, ...run) => sink.addRun(row % ny, ...run));
  }
}

async function readY(source: VoxelSource, layout: VoxelLayout, slices: Stretch, sink: VoxelSink): Promise<void> {
  const { nx, ny, nz } = layout;
  for (let z = 0; z < nz; z++) {
    if (!sink.wants(z)) continue;
    const rows = { from: z * ny + slices.from, to: z * ny + slices.to };
    await readRows(source, layout, rows, { from: 0, to: nx }, (_, ...run) => sink.addRun(z, ...run));
  }
}

async function readX(source: VoxelSource, layout: VoxelLayout, slices: Stretch, sink: VoxelSink): Promise<void> {
  const { ny, nz } = layout;
  for (const rows of wantedRows({ from: 0, to: ny * nz }, (row) => sink.wants(Math.floor(row / ny)))) {
    await readRows(source, layout, rows, slices, (row, _, values, from, to) => {
      const [z, y] = [Math.floor(row / ny), row % ny];
      for (let at = from; at < to; at++) sink.addRun(z, y, values, at, at + 1);
    });
  }
}

/** Rows that are looked for before the first of them is read: a header may claim billions that the file lacks. */
const MOST_ROWS = 1 << 16;

/** The wanted rows, neighbours together, at most `MOST_ROWS`. */
function* wantedRows({ from, to }: Stretch, wants: (row: number) => boolean): Generator<Stretch> {
  for (let first = from; first < to; ) {
    if (!wants(first)) {
      first++;
      continue;
    }
    let end = first + 1;
    while (end < to && end - first < MOST_ROWS && wants(end)) end++;
    yield { from: first, to: end };
    first = end;
  }
}
