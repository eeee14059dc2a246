import { decodeVoxels, extentOf, type VoxelLayout, type VoxelSource } from './voxels.ts';

/** Bytes that are read at once, at most. */
const BLOCK_BYTES = 1 << 20;
/** Between the voxels wanted of two neighbouring rows: up to so many bytes, reading them costs less than another read. */
const MAX_GAP_BYTES = 1 << 16;

/** A stretch of rows or columns; `to` is the first that is not in it. */
interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** Takes `values` from index `from` up to, not including, `to`: voxels of one row, from `column` on. They are lent. */
type RunVisitor = (row: number, column: number, values: Float32Array, from: number, to: number) => void;

/**
 * Reads and decodes these columns of these rows, in the order of the file. It holds a few MiB, however long a row is; a
 * long one comes in several runs.
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
  // A 4-bit run may begin and end in the middle of a byte.
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
