import { usualMoments } from '../pictures/contrast.ts';
import { readRows } from '../voxels/rows.ts';
import type { VoxelLayout, VoxelSource } from '../voxels/voxels.ts';
import { type Band, placeTiles, type SpectrumPlan } from './plan.ts';
import { type PowerSpectrum, PowerSum } from './power.ts';

/** Memory for tiles that are open at the same time. */
const OPEN_BYTES = 16 * 1024 * 1024;
/** Rows from which the mean and the spread of a band are taken, and the most voxels of one. */
const SAMPLED_ROWS = 16;
const SAMPLED_COLUMNS = 16_384;
/** Values further from the mean are hot pixels; they count as the mean. One of them would cover all rings. */
const HOT_SIGMAS = 20;

/**
 * The averaged power spectrum of a section, or of all: of all tiles that `placeTiles` chooses. Values that are not
 * finite, and hot pixels, count as the mean.
 *
 * @param slice the section, from 0; null: all of them.
 */
export async function readSpectrum(
  source: VoxelSource,
  layout: VoxelLayout,
  slice: number | null,
  { edge, kept }: Pick<SpectrumPlan, 'edge' | 'kept'>,
): Promise<PowerSpectrum> {
  const sum = new PowerSum(edge, kept);
  const sections = slice === null ? { first: 0, count: layout.nz } : { first: slice, count: 1 };
  const atOnce = Math.max(1, Math.floor(OPEN_BYTES / (8 * edge * (kept + 1))));
  for (const band of placeTiles(layout, edge, sections)) {
    const usual = await sampleBand(source, layout, band, edge);
    for (const xs of groupTiles(band.xs, edge, atOnce)) {
      await addTiles(source, layout, { ...band, xs }, sum, edge, usual);
    }
  }
  return sum.result();
}

/** Tiles that are read together: neighbours, at most `atOnce`. */
function groupTiles(xs: readonly number[], edge: number, atOnce: number): number[][] {
  const groups: number[][] = [];
  for (const x of xs) {
    const last = groups.at(-1);
    const isNear = last !== undefined && x - (last.at(-1) as number) <= edge;
    if (isNear && last.length < atOnce) last.push(x);
    else groups.push([x]);
  }
  return groups;
}

interface Usual {
  readonly mean: number;
  /** How far a value may be from the mean. */
  readonly reach: number;
}

/** The usual values in the middle of a band. */
async function sampleBand(source: VoxelSource, layout: VoxelLayout, band: Band, edge: number): Promise<Usual> {
  const columns = Math.min(layout.nx, SAMPLED_COLUMNS);
  const from = band.section * layout.ny + band.y + (edge - SAMPLED_ROWS) / 2;
  const values = new Float32Array(SAMPLED_ROWS * columns);
  const range = { from: 0, to: columns };
  await readRows(source, layout, { from, to: from + SAMPLED_ROWS }, range, (row, column, run, first, last) =>
    values.set(run.subarray(first, last), (row - from) * columns + column),
  );
  const { mean, sd } = usualMoments(values);
  return { mean: Number.isNaN(mean) ? 0 : mean, reach: sd > 0 ? HOT_SIGMAS * sd : Number.POSITIVE_INFINITY };
}

async function addTiles(
  source: VoxelSource,
  layout: VoxelLayout,
  { section, y, xs }: Band,
  sum: PowerSum,
  edge: number,
  { mean, reach }: Usual,
): Promise<void> {
  const tiles = xs.map((x) => ({ x, rows: sum.open() }));
  const [left, right] = [xs[0] as number, (xs.at(-1) as number) + edge];
  const top = section * layout.ny + y;
  const buffer = new Float32Array(right - left);
  const columns = { from: left, to: right };
  await readRows(source, layout, { from: top, to: top + edge }, columns, (row, column, values, from, to) => {
    for (let i = from, at = column - left; i < to; i++, at++) {
      const difference = (values[i] as number) - mean;
      // False for NaN, too.
      buffer[at] = Math.abs(difference) <= reach && Math.abs(difference) < Number.POSITIVE_INFINITY ? difference : 0;
    }
    // A long row arrives in several runs.
    if (column + to - from < right) return;
    for (const { x, rows } of tiles) sum.addRow(rows, row - top, buffer, x - left);
  });
}
