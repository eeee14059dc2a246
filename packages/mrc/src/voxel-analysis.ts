import type { Axis } from './header/axes.ts';
import type { MrcKind } from './kind/kind.ts';
import { BoxMean, binFactor } from './pictures/box-mean.ts';
import type { Raster } from './pictures/raster.ts';
import { Statistics, type VoxelStatistics } from './statistics/statistics.ts';
import { decodeVoxels, type VoxelLayout } from './voxels/voxels.ts';

/** The long side of the rasters, at most. */
const RASTER_PX = 512;
/** Voxels decoded at a time; they fit into the cache of a processor. */
const PIECE = 16_384;

/**
 * Collects in one pass over a file the statistics of all voxels, the central section along each axis and, for a stack,
 * the average of its sections. Bytes may arrive in any order and in chunks that end anywhere, also within a voxel. The
 * caller must add no byte twice. The memory does not depend on the size of the file.
 */
export class VoxelAnalysis {
  readonly #layout: VoxelLayout;
  readonly #statistics: Statistics;
  readonly #sections: Readonly<Record<Axis, BoxMean>>;
  readonly #average: BoxMean | null;
  /** Voxels, padding included, from the start of one row to the start of the next. */
  readonly #stride: number;
  readonly #piece = new Float32Array(PIECE);
  /** Voxels of which only some bytes have arrived, by their number. */
  readonly #torn = new Map<number, { bytes: Uint8Array; missing: number }>();

  /** @param layout from `settleLayout`: the signedness of mode 0 is not examined again. */
  constructor(layout: VoxelLayout, kind: MrcKind) {
    const { nx, ny, nz, mode, isUnpadded } = layout;
    this.#layout = layout;
    this.#statistics = new Statistics(layout);
    this.#stride = mode === 101 && !isUnpadded ? 2 * Math.ceil(nx / 2) : nx;
    this.#sections = { x: makeRaster(ny, nz), y: makeRaster(nx, nz), z: makeRaster(nx, ny) };
    this.#average = kind === 'stack' ? makeRaster(nx, ny) : null;
  }

  /** @param offsetBytes position of the bytes in the file. Bytes outside the data are ignored. */
  add(offsetBytes: number, bytes: Uint8Array): void {
    const { dataOffset, dataBytes, voxelBytes } = this.#layout;
    const start = Math.max(offsetBytes, dataOffset);
    const end = Math.min(offsetBytes + bytes.length, dataOffset + dataBytes);
    if (start >= end) return;
    const data = bytes.subarray(start - offsetBytes, end - offsetBytes);
    const at = start - dataOffset;
    if (voxelBytes <= 1) {
      this.#addWhole(at / voxelBytes, data);
      return;
    }
    const first = Math.ceil(at / voxelBytes);
    const last = Math.floor((at + data.length) / voxelBytes);
    const head = Math.min(first * voxelBytes - at, data.length);
    if (head > 0) this.#addTorn(at, data.subarray(0, head));
    if (last > first) this.#addWhole(first, data.subarray(head, head + (last - first) * voxelBytes));
    const tail = last >= first ? last * voxelBytes - at : data.length;
    if (tail < data.length) this.#addTorn(at + tail, data.subarray(tail));
  }

  statistics(): VoxelStatistics {
    return this.#statistics.result();
  }

  /**
   * The central section along an axis of the file, at most 512 pixels wide and high. x has NY columns and NZ rows, y NX and NZ, z
   * NX and NY.
   */
  section(axis: Axis): Raster {
    return this.#sections[axis].raster();
  }

  /** The mean of all sections; null unless the file is a stack. */
  average(): Raster | null {
    return this.#average?.raster() ?? null;
  }

  #addTorn(at: number, bytes: Uint8Array): void {
    const { voxelBytes } = this.#layout;
    const voxel = Math.floor(at / voxelBytes);
    const torn = this.#torn.get(voxel) ?? { bytes: new Uint8Array(voxelBytes), missing: voxelBytes };
    torn.bytes.set(bytes, at % voxelBytes);
    torn.missing -= bytes.length;
    if (torn.missing > 0) {
      this.#torn.set(voxel, torn);
      return;
    }
    this.#torn.delete(voxel);
    this.#addWhole(voxel, torn.bytes);
  }

  /** @param voxel number of the first voxel, counting padding. */
  #addWhole(voxel: number, bytes: Uint8Array): void {
    const { voxelBytes } = this.#layout;
    const pieceBytes = PIECE * voxelBytes;
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      const count = decodeVoxels(this.#layout, bytes.subarray(at, at + pieceBytes), this.#piece);
      this.#addPiece(voxel + at / voxelBytes, count);
    }
  }

  #addPiece(voxel: number, count: number): void {
    const { nx, ny, nz } = this.#layout;
    const stride = this.#stride;
    const values = this.#piece;
    const [middleX, middleY, middleZ] = [Math.floor(nx / 2), Math.floor(ny / 2), Math.floor(nz / 2)];
    if (stride === nx) this.#statistics.add(values, 0, count);
    let row = Math.floor(voxel / stride);
    let x = voxel - row * stride;
    for (let from = 0; from < count; row++, x = 0) {
      const next = Math.min(from + stride - x, count);
      const to = Math.min(from + nx - x, count);
      if (stride !== nx && to > from) this.#statistics.add(values, from, to);
      const z = Math.floor(row / ny);
      const y = row - z * ny;
      if (z === middleZ) this.#sections.z.addRun(y, x, values, from, to);
      if (y === middleY) this.#sections.y.addRun(z, x, values, from, to);
      const middle = from + middleX - x;
      if (middle >= from && middle < to) this.#sections.x.addRun(z, y, values, middle, middle + 1);
      this.#average?.addRun(y, x, values, from, to);
      from = next;
    }
  }
}

function makeRaster(width: number, height: number): BoxMean {
  return new BoxMean(width, height, binFactor(Math.max(width, height), RASTER_PX));
}
