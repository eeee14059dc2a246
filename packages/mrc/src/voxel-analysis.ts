import type { Axis } from './header/axes.ts';
import type { MrcKind } from './kind/kind.ts';
import { BoxMean, binFactor } from './pictures/box-mean.ts';
import type { Raster } from './pictures/raster.ts';
import { MAX_SECTIONS, SectionMoments, type SectionStatistics } from './statistics/section-statistics.ts';
import { Statistics, type VoxelStatistics } from './statistics/statistics.ts';
import { decodeVoxels, type VoxelLayout } from './voxels/voxels.ts';

/** The long side of the rasters when none is given, at most. */
const RASTER_PX = 512;
/** Voxels decoded at a time; they fit into the cache of a processor. */
const PIECE = 16_384;
/** Bytes whose numbers are counted at a time; more of them take less time for the statistics of their section. */
const COUNTED_BYTES = 65_536;
/** Of shorter rows all voxels are decoded, which takes less time than picking some. */
const SHORT_ROW = 256;

/**
 * Collects in one pass over a file the statistics of all voxels, of each section, the central section along each axis and,
 * for a stack, the average of its sections. Bytes may arrive in any order and in chunks that end anywhere, also within a voxel. The
 * caller must add no byte twice. The memory does not depend on the size of the file.
 */
export class VoxelAnalysis {
  readonly #layout: VoxelLayout;
  readonly #statistics: Statistics;
  readonly #sectionMoments: SectionMoments | null;
  readonly #sections: Readonly<Record<Axis, BoxMean>>;
  readonly #average: BoxMean | null;
  /** Voxels, padding included, from the start of one row to the start of the next. */
  readonly #stride: number;
  readonly #piece: Float32Array;
  /** Statistics come from the bytes, and only the voxels of the central sections are decoded. */
  readonly #isPicked: boolean;
  /** Voxels of which only some bytes have arrived, by their number. */
  readonly #torn = new Map<number, { bytes: Uint8Array; missing: number }>();

  /**
   * @param layout from `settleLayout`: the signedness of mode 0 is not examined again.
   * @param rasterPx the long side of the rasters, at most; the memory is 64 bytes × rasterPx².
   */
  constructor(layout: VoxelLayout, kind: MrcKind, rasterPx = RASTER_PX) {
    const { nx, ny, nz, mode, isUnpadded } = layout;
    this.#layout = layout;
    this.#statistics = new Statistics(layout);
    this.#stride = mode === 101 && !isUnpadded ? 2 * Math.ceil(nx / 2) : nx;
    this.#sectionMoments = nz <= MAX_SECTIONS ? new SectionMoments(nz) : null;
    const makeRaster = (width: number, height: number) =>
      new BoxMean(width, height, binFactor(Math.max(width, height), rasterPx));
    this.#sections = { x: makeRaster(ny, nz), y: makeRaster(nx, nz), z: makeRaster(nx, ny) };
    this.#isPicked = this.#statistics.takesBytes && kind !== 'stack' && nx >= SHORT_ROW;
    this.#piece = new Float32Array(this.#isPicked ? COUNTED_BYTES : PIECE);
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

  /** Mean and standard deviation of each section; null when there are more than 2,048. */
  sectionStatistics(): SectionStatistics | null {
    return this.#sectionMoments?.result() ?? null;
  }

  /**
   * The central section along an axis of the file, at most `rasterPx` pixels wide and high. x has NY columns and NZ rows, y
   * NX and NZ, z NX and NY.
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
    const pieceBytes = this.#isPicked ? COUNTED_BYTES : PIECE * voxelBytes;
    const takesBytes = this.#statistics.takesBytes;
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      const piece = bytes.subarray(at, at + pieceBytes);
      const first = voxel + at / voxelBytes;
      if (takesBytes) this.#countSections(first, piece);
      if (this.#isPicked) this.#pickSections(first, piece);
      else this.#addPiece(first, decodeVoxels(this.#layout, piece, this.#piece), !takesBytes);
    }
  }

  /** Counts the bytes of modes without padding, those of each section by themselves. */
  #countSections(voxel: number, bytes: Uint8Array): void {
    const { nx, ny, voxelBytes } = this.#layout;
    const count = bytes.length / voxelBytes;
    const perSection = this.#sectionMoments ? nx * ny : Number.POSITIVE_INFINITY;
    for (let from = 0; from < count; ) {
      const z = Math.floor((voxel + from) / perSection);
      const to = Math.min(count, (z + 1) * perSection - voxel);
      const part = bytes.subarray(from * voxelBytes, to * voxelBytes);
      this.#statistics.addBytes(part, this.#sectionMoments?.of(z) ?? null);
      from = to;
    }
  }

  /** Decodes only the voxels of the central sections. */
  #pickSections(voxel: number, bytes: Uint8Array): void {
    const { nx, ny, nz, voxelBytes } = this.#layout;
    const count = bytes.length / voxelBytes;
    const [middleX, middleY, middleZ] = [Math.floor(nx / 2), Math.floor(ny / 2), Math.floor(nz / 2)];
    let row = Math.floor(voxel / nx);
    let x = voxel - row * nx;
    for (let from = 0; from < count; row++, x = 0) {
      const to = Math.min(from + nx - x, count);
      const z = Math.floor(row / ny);
      const y = row - z * ny;
      if (z === middleZ || y === middleY) {
        const run = bytes.subarray(from * voxelBytes, to * voxelBytes);
        const decoded = decodeVoxels(this.#layout, run, this.#piece);
        if (z === middleZ) this.#sections.z.addRun(y, x, this.#piece, 0, decoded);
        if (y === middleY) this.#sections.y.addRun(z, x, this.#piece, 0, decoded);
      }
      const middle = from + middleX - x;
      if (middle >= from && middle < to) {
        decodeVoxels(this.#layout, bytes.subarray(middle * voxelBytes, (middle + 1) * voxelBytes), this.#piece);
        this.#sections.x.addRun(z, y, this.#piece, 0, 1);
      }
      from = to;
    }
  }

  /** @param isNew the voxels are not counted yet. */
  #addPiece(voxel: number, count: number, isNew: boolean): void {
    const { nx, ny, nz } = this.#layout;
    const stride = this.#stride;
    const values = this.#piece;
    const moments = this.#sectionMoments;
    const [middleX, middleY, middleZ] = [Math.floor(nx / 2), Math.floor(ny / 2), Math.floor(nz / 2)];
    const isPadded = stride !== nx;
    if (isNew && !isPadded && !moments) this.#statistics.add(values, 0, count);
    let row = Math.floor(voxel / stride);
    let x = voxel - row * stride;
    // The first voxel of the section that is not counted yet.
    let uncounted = 0;
    for (let from = 0; from < count; row++, x = 0) {
      const next = Math.min(from + stride - x, count);
      const to = Math.min(from + nx - x, count);
      const z = Math.floor(row / ny);
      const y = row - z * ny;
      if (isNew && isPadded && to > from) this.#statistics.add(values, from, to, moments?.of(z));
      if (isNew && !isPadded && moments && (y === ny - 1 || next === count)) {
        this.#statistics.add(values, uncounted, next, moments.of(z));
        uncounted = next;
      }
      if (z === middleZ) this.#sections.z.addRun(y, x, values, from, to);
      if (y === middleY) this.#sections.y.addRun(z, x, values, from, to);
      const middle = from + middleX - x;
      if (middle >= from && middle < to) this.#sections.x.addRun(z, y, values, middle, middle + 1);
      this.#average?.addRun(y, x, values, from, to);
      from = next;
    }
  }
}
