/** Generated files with known contents, for tests. */

import { type MrcHeader, parseHeader } from '../header/header.ts';
import { HEADER_BYTES } from '../header/layout.ts';
import { buildHeader, type HeaderFields } from '../header/writer.ts';
import { Fft } from '../spectra/fft.ts';
import { layoutOf, type VoxelLayout, type VoxelSource } from '../voxels/voxels.ts';

export interface Phantom {
  readonly bytes: Uint8Array;
  readonly header: MrcHeader;
  readonly layout: VoxelLayout;
  readonly source: VoxelSource;
}

/**
 * A file with these header fields and the value `worth(x, y, z)` at each voxel; 0 to 10 fits every mode. `isUnpadded`:
 * 4-bit rows are not padded to whole bytes.
 */
export function makePhantom(
  fields: HeaderFields & { isUnpadded?: boolean },
  worth: (x: number, y: number, z: number) => number,
): Phantom {
  const { nx, ny, nz, nsymbt = 0 } = fields;
  const voxels = [];
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      for (let x = 0; x < nx; x++) voxels.push(worth(x, y, z));
      if (fields.mode === 101 && nx % 2 === 1 && !fields.isUnpadded) voxels.push(0);
    }
  }
  const data = encode(voxels, fields.mode, fields.byteOrder !== 'big');
  const file = new Uint8Array(HEADER_BYTES + nsymbt + data.length);
  file.set(buildHeader(fields));
  file.set(data, HEADER_BYTES + nsymbt);
  const header = parseHeader(file, file.length);
  const layout = layoutOf(header, file.length);
  if (!layout) throw new Error('a phantom has no layout');
  return { bytes: file, header, layout, source: sourceOf(file) };
}

/** Bytes in memory; rejects past their end. */
export function sourceOf(file: Uint8Array): VoxelSource {
  return {
    async read(offsetBytes, target) {
      if (offsetBytes + target.length > file.length) throw new RangeError('past the end of the file');
      target.set(file.subarray(offsetBytes, offsetBytes + target.length));
    },
  };
}

function encode(voxels: readonly number[], mode: number, isLittle: boolean): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(voxels.length * (ENCODED_BYTES[mode] as number)));
  const view = new DataView(bytes.buffer);
  voxels.forEach((value, i) => {
    const whole = Math.round(value);
    if (mode === 0) bytes[i] = whole;
    else if (mode === 1) view.setInt16(2 * i, whole, isLittle);
    else if (mode === 2) view.setFloat32(4 * i, value, isLittle);
    else if (mode === 3) view.setInt16(4 * i + 2, whole, isLittle);
    else if (mode === 4) view.setFloat32(8 * i + 4, -value, isLittle);
    else if (mode === 6) view.setUint16(2 * i, whole, isLittle);
    else if (mode === 12) view.setFloat16(2 * i, value, isLittle);
    else if (mode === 16) bytes.fill(whole, 3 * i, 3 * i + 3);
    else bytes[i >> 1] = (bytes[i >> 1] as number) | (whole << (4 * (i & 1)));
  });
  return bytes;
}

const ENCODED_BYTES: Readonly<Record<number, number>> = { 0: 1, 1: 2, 2: 4, 3: 4, 4: 8, 6: 2, 12: 2, 16: 3, 101: 0.5 };

const PITCH = 16;

/**
 * Soft spheres on a lattice of 16 voxels, with values up to 6, and one with 10 near the first voxel, which shows the
 * orientation.
 */
export function sphereLattice(x: number, y: number, z: number): number {
  const isFirst = x < PITCH && y < PITCH && z < PITCH;
  const distance = Math.hypot((x % PITCH) - 7.5, (y % PITCH) - 7.5, (z % PITCH) - 7.5);
  return (isFirst ? 10 : 6) / (1 + Math.exp(distance - (isFirst ? 7 : 4)));
}

/** Numbers evenly spread over [0, 1), the same for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A noise image of edge × edge pixels with Thon rings, as a defocused microscope makes them: its amplitude at the
 * frequency r (cycles along the edge) is |sin(π r² / firstZero²)|, with a floor. Zeros lie at firstZero × √k.
 */
export function thonRings(edge: number, firstZero: number, seed = 1): Float64Array {
  const random = randomNumbers(seed);
  const gauss = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const real = Float64Array.from({ length: edge * edge }, gauss);
  const imaginary = new Float64Array(edge * edge);
  transformBothWays(edge, real, imaginary);
  for (let index = 0; index < real.length; index++) {
    const [kx, ky] = [index % edge, Math.floor(index / edge)].map((k) => Math.min(k, edge - k)) as [number, number];
    const amplitude = 0.1 + Math.abs(Math.sin((Math.PI * (kx * kx + ky * ky)) / firstZero ** 2));
    real[index] = (real[index] as number) * amplitude;
    imaginary[index] = -(imaginary[index] as number) * amplitude;
  }
  transformBothWays(edge, real, imaginary);
  return real.map((value) => value / (edge * edge));
}

function transformBothWays(edge: number, real: Float64Array, imaginary: Float64Array): void {
  const fft = new Fft(edge);
  for (let y = 0; y < edge; y++) {
    fft.transform(real.subarray(y * edge, (y + 1) * edge), imaginary.subarray(y * edge, (y + 1) * edge));
  }
  for (let x = 0; x < edge; x++) {
    const re = Float64Array.from({ length: edge }, (_, y) => real[y * edge + x] as number);
    const im = Float64Array.from({ length: edge }, (_, y) => imaginary[y * edge + x] as number);
    fft.transform(re, im);
    for (let y = 0; y < edge; y++) {
      real[y * edge + x] = re[y] as number;
      imaginary[y * edge + x] = im[y] as number;
    }
  }
}
