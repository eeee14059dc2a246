import { decodeVoxels, extentOf, type VoxelLayout, type VoxelSource } from './voxels.ts';

/** The most bytes read at once. */
const BLOCK_BYTES = 1 << 20;
/** Bytes between the requested voxels of two rows, up to which reading them costs less than another read. */
const MAX_GAP_BYTES = 1 << 16;

/** A range of rows or columns; `to` is excluded. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/**
 * Receives voxels of one row, starting at `column`: `values` from index `from` up to, not including, `to`. The array is
 * reused after the call.
 */
type RunVisitor = (row: number, column: number, values: Float32Array, from: number, to: number) => void;

/**
 * Reads and decodes a range of columns of a range of rows, in the order of the file. It uses a few MiB of memory for
 * rows of any length; a long row is passed on in several runs.
 * `rows`: from 0, over all sections: section × NY + row in it.
 */
export async function readRows(
  source: VoxelSource,
  layout: VoxelLayout,
  rows: Stretch,
  columns: Stretch,
  visit: RunVisitor,
): Promise<void> {
  const runVoxels = Math.min(columns.to - columns.from, Math.floor(BLOCK_BYTES / layout.voxelBytes / 2));
  const runBytes = Math.ceil(runVoxels * layout.voxelBytes) + 1;
  const rowBytes = Math.ceil(layout.nx * layout.voxelBytes);
  const isWorthOneRead = columns.to - columns.from === runVoxels && rowBytes - runBytes <= MAX_GAP_BYTES;
  const blockRows = isWorthOneRead ? Math.max(1, Math.floor((BLOCK_BYTES - runBytes) / rowBytes)) : 1;
  const block = new Uint8Array(runBytes + (Math.min(blockRows, rows.to - rows.from) - 1) * rowBytes);
  // A 4-bit run may start and end within a byte.
  const values = new Float32Array(runVoxels + 2);
  for (let first = rows.from; first < rows.to; first += blockRows) {
    const afterLast = Math.min(first + blockRows, rows.to);
    for (let column = columns.from; column < columns.to; column += runVoxels) {
      const end = Math.min(column + runVoxels, columns.to);
      const { start } = extentOf(layout, first, column, end);
      const bytes = block.subarray(0, extentOf(layout, afterLast - 1, column, end).end - start);
      await source.read(start, bytes);
      for (let row = first; row < afterLast; row++) {
        const run = extentOf(layout, row, column, end);
        decodeVoxels(layout, bytes.subarray(run.start - start, run.end - start), values);
        visit(row, column, values, run.skip, run.skip + end - column);
      }
    }
  }
}
