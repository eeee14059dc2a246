import { axisOrder } from '../header/axes.ts';
import type { ByteOrder } from '../header/byte-order.ts';
import { volumeSections, voxelScale } from '../header/geometry.ts';
import type { MrcHeader, Triple } from '../header/header.ts';
import { HEADER_BYTES } from '../header/layout.ts';
import { bytesPerVoxel } from '../header/mode.ts';
import { decideRowOrder } from '../header/row-order.ts';
import { computeFileSize } from '../header/size.ts';
import { decideSignedness, type Signedness, type SignednessDecision } from '../kind/signedness.ts';

/** Where the voxels of a file are, and how they are decoded. */
export interface VoxelLayout {
  /** Columns (fastest), rows, sections of the whole file. */
  readonly nx: number;
  readonly ny: number;
  readonly nz: number;
  readonly mode: number;
  readonly byteOrder: ByteOrder;
  /** Whether the bytes of mode 0 are signed; null for other modes. */
  readonly isSigned: boolean | null;
  /** What decided `isSigned`; `settleLayout` replaces weak evidence. Null for other modes. */
  readonly signedness: SignednessDecision | null;
  /** Position of the first voxel: bytes from the start of the file. */
  readonly dataOffset: number;
  /** Bytes of one voxel; 0.5 for the 4-bit mode 101. */
  readonly voxelBytes: number;
  /** True for mode 101 when rows are not padded to whole bytes, as RELION writes them. */
  readonly isUnpadded: boolean;
  /** Bytes of all voxels together. */
  readonly dataBytes: number;
  /** True when the first row of the file is the top of the picture; MRC2014's first row is its bottom. */
  readonly isFlipped: boolean;
  /** The axes in space (0 X, 1 Y, 2 Z) of columns, rows and sections. */
  readonly order: Triple;
  /** Relative lengths of a voxel along columns, rows and sections. */
  readonly scale: Triple;
  /** Sections of one volume; NZ unless the file is a stack of volumes. */
  readonly volumeSections: number;
}

/** Reads a file. `read` fills the whole of `target` from `offsetBytes`, or rejects. */
export interface VoxelSource {
  read(offsetBytes: number, target: Uint8Array): Promise<void>;
}

/** The bytes of the file that hold some voxels. */
export interface VoxelExtent {
  /** The first byte, and the byte after the last. */
  readonly start: number;
  readonly end: number;
  /** Voxels in the first byte that come before the requested ones: 0, or 1 in mode 101. */
  readonly skip: number;
}

/**
 * The layout of a file of `sizeBytes`. Null when they cannot be read: MRCZ, an unknown MODE, a dimension or
 * NSYMBT out of range, or fewer bytes than the header describes.
 * `mode0`: how the bytes of mode 0 are read, when the owner of the file says so.
 */
export function layoutOf(
  header: MrcHeader,
  sizeBytes: number,
  { mode0 }: { readonly mode0?: Signedness | undefined } = {},
): VoxelLayout | null {
  const { nx, ny, nz, mode, byteOrder, nsymbt } = header;
  const voxelBytes = bytesPerVoxel(mode);
  if (voxelBytes === null || nx <= 0 || ny <= 0 || nz <= 0) return null;
  const size = computeFileSize(header, sizeBytes);
  if (!size || size.bytes > BigInt(sizeBytes)) return null;
  const dataOffset = HEADER_BYTES + nsymbt;
  const signedness = decideSignedness(header, mode0);
  return {
    nx,
    ny,
    nz,
    mode,
    byteOrder,
    isSigned: signedness && signedness.value === 'signed',
    signedness,
    dataOffset,
    voxelBytes,
    isUnpadded: size.isUnpadded,
    dataBytes: Number(size.bytes) - dataOffset,
    isFlipped: decideRowOrder(header).first === 'top',
    order: axisOrder(header),
    scale: voxelScale(header),
    volumeSections: volumeSections(header),
  };
}

/** Bytes from the start of one row to the start of the next; may be fractional when `isUnpadded`. */
function strideBytes({ nx, voxelBytes, isUnpadded }: VoxelLayout): number {
  return isUnpadded ? nx * voxelBytes : Math.ceil(nx * voxelBytes);
}

/**
 * The bytes of columns `from` up to, not including, `to` of a row.
 * `row`: from 0, over all sections: section × NY + row in it.
 */
export function extentOf(layout: VoxelLayout, row: number, from = 0, to = layout.nx): VoxelExtent {
  const { dataOffset, voxelBytes } = layout;
  const rowStart = row * strideBytes(layout);
  const start = Math.floor(rowStart + from * voxelBytes);
  return {
    start: dataOffset + start,
    end: dataOffset + Math.ceil(rowStart + to * voxelBytes),
    skip: (rowStart + from * voxelBytes - start) / voxelBytes,
  };
}

/** The bytes of a section, counted from 0. Neighbours may share a byte when `isUnpadded`. */
export function sectionExtent(layout: VoxelLayout, section: number): VoxelExtent {
  const first = extentOf(layout, section * layout.ny);
  return { ...first, end: extentOf(layout, (section + 1) * layout.ny - 1).end };
}

/**
 * Decodes voxels from `bytes`, which must begin with a whole voxel, into `target`, until one of the two is exhausted.
 * A complex voxel gives its amplitude, an RGB voxel the mean of its three values. Of the two 4-bit voxels in a byte the
 * lower half is the first. Rows are not considered: the padding of a 4-bit row is decoded as a voxel.
 * The alignment of `bytes` does not matter. The machine must be little-endian.
 *
 * @returns the number of decoded voxels.
 */
export function decodeVoxels(layout: VoxelLayout, bytes: Uint8Array, target: Float32Array): number {
  const count = Math.min(Math.floor(bytes.length / layout.voxelBytes), target.length);
  const { mode } = layout;
  if (mode === 2 && layout.byteOrder === 'little') {
    new Uint8Array(target.buffer, target.byteOffset, 4 * count).set(bytes.subarray(0, 4 * count));
    return count;
  }
  if (mode === 0) {
    copyInto(target, layout.isSigned ? new Int8Array(bytes.buffer, bytes.byteOffset, count) : bytes, count);
    return count;
  }
  if (mode === 101) {
    for (let i = 0; i < count; i++) target[i] = ((bytes[i >> 1] as number) >> ((i & 1) * 4)) & 15;
    return count;
  }
  if (mode === 16) {
    for (let i = 0, at = 0; i < count; i++, at += 3) {
      target[i] = ((bytes[at] as number) + (bytes[at + 1] as number) + (bytes[at + 2] as number)) / 3;
    }
    return count;
  }
  const { buffer, byteOffset } = inOrder(layout, bytes.subarray(0, count * layout.voxelBytes));
  switch (mode) {
    case 1:
      copyInto(target, new Int16Array(buffer, byteOffset, count), count);
      break;
    case 2:
      target.set(new Float32Array(buffer, byteOffset, count));
      break;
    case 3:
      setAmplitudes(target, new Int16Array(buffer, byteOffset, 2 * count), count);
      break;
    case 4:
      setAmplitudes(target, new Float32Array(buffer, byteOffset, 2 * count), count);
      break;
    case 6:
      copyInto(target, new Uint16Array(buffer, byteOffset, count), count);
      break;
    case 12: {
      const floats = float16Values();
      const patterns = new Uint16Array(buffer, byteOffset, count);
      for (let i = 0; i < count; i++) target[i] = floats[patterns[i] as number] as number;
      break;
    }
    default:
      throw new RangeError(`MODE ${mode} has no layout`);
  }
  return count;
}

/** The bytes aligned and little-endian; a copy unless they already are. */
function inOrder({ mode, byteOrder }: VoxelLayout, bytes: Uint8Array): { buffer: ArrayBufferLike; byteOffset: number } {
  const width = mode === 2 || mode === 4 ? 4 : 2;
  if (byteOrder === 'little' && bytes.byteOffset % width === 0) return bytes;
  // Not `slice`: a Buffer of Node has its own, which copies nothing.
  const copy = new Uint8Array(bytes);
  if (byteOrder === 'little') return copy;
  const last = width - 1;
  for (let at = 0; at < copy.length; at += width) {
    for (let i = 0; i < width; i++) copy[at + i] = bytes[at + last - i] as number;
  }
  return copy;
}

function copyInto(
  target: Float32Array,
  values: Int8Array | Uint8Array | Int16Array | Uint16Array,
  count: number,
): void {
  // The conversion of the engine is faster than a loop that is used for several array types.
  target.set(values.length === count ? values : values.subarray(0, count));
}

function setAmplitudes(target: Float32Array, pairs: Int16Array | Float32Array, count: number): void {
  for (let i = 0; i < count; i++) target[i] = amplitude(pairs[2 * i] as number, pairs[2 * i + 1] as number);
}

function amplitude(real: number, imaginary: number): number {
  return Math.sqrt(real * real + imaginary * imaginary);
}

let float16: Float32Array | undefined;

/** The value of each of the 65,536 IEEE 754 binary16 patterns; computed on first use. */
function float16Values(): Float32Array {
  float16 ??= Float32Array.from({ length: 65_536 }, (_, bits) => {
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    const sign = bits & 0x8000 ? -1 : 1;
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
  });
  return float16;
}
