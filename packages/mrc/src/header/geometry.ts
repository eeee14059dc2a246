import { isVolumeStack } from '../kind/volume-stack.ts';
import { axisOrder, isStandardOrder, toFile, toSpace } from './axes.ts';
import type { MrcHeader, Triple } from './header.ts';
import { voxelSize } from './meaning.ts';

/** A number of the header; null when it is NaN or infinite, which JSON does not have. */
type Numbers = readonly [number | null, number | null, number | null];

/** How the voxels lie in space, under names of MRC2014. Safe for JSON. */
export interface MrcGeometry {
  /** Voxels along X, Y, Z. Of all volumes, in a stack of volumes. */
  readonly size: Triple;
  /**
   * Å along X, Y, Z of the voxels in the file; of one volume, in a stack of volumes. z is 0 when the header does not
   * give it, and means nothing for images. Null when the header has no voxel size.
   */
  readonly extent: Triple | null;
  /** In a stack of volumes; otherwise 1. */
  readonly volumes: number;
  /** MAPC, MAPR, MAPS as they stand: the axes (1 X, 2 Y, 3 Z) of columns, rows, sections. */
  readonly axes: Triple;
  /** NXSTART, NYSTART, NZSTART: of columns, rows, sections. */
  readonly nstart: Triple;
  /** MX, MY, MZ: intervals along the cell. */
  readonly m: Triple;
  /** CELLA, Å. */
  readonly cell: Numbers;
  /** CELLB, degrees. */
  readonly angles: Numbers;
  /** ORIGIN, Å. */
  readonly origin: Numbers;
  readonly ispg: number;
  readonly nversion: number;
}

export function describeGeometry(header: MrcHeader): MrcGeometry {
  const { nx, ny, nz, axes, nstart, m, cella, cellb, origin, ispg, nversion } = header;
  const order = axisOrder(header);
  const edges = voxelSize(header);
  const size = toSpace(order, [nx, ny, nz]);
  const one = toSpace(order, [nx, ny, volumeSections(header)]);
  return {
    size,
    extent: edges && [digits(edges[0] * one[0]), digits(edges[1] * one[1]), digits(edges[2] * one[2])],
    volumes: nz / volumeSections(header),
    axes,
    nstart,
    m,
    cell: numbers(cella),
    angles: numbers(cellb),
    origin: numbers(origin),
    ispg,
    nversion,
  };
}

/** The sections of one volume: MZ in a stack of volumes along Z, when NZ is a multiple of it; otherwise NZ. */
export function volumeSections(header: Pick<MrcHeader, 'nz' | 'm' | 'ispg' | 'axes'>): number {
  const mz = header.m[2];
  const isStack = isVolumeStack(header) && axisOrder(header)[2] === 2;
  return isStack && mz > 0 && header.nz % mz === 0 ? mz : header.nz;
}

/** Voxels longer than this times their width are taken for a wrong cell, and drawn as cubes. */
const MOST_STRETCHED = 16;
/** Smaller differences are not drawn. */
const LEAST_STRETCHED = 1.01;

/**
 * The relative lengths of a voxel along columns, rows and sections; 1, 1, 1 when they are the same, are not known or
 * cannot be right.
 */
export function voxelScale(header: MrcHeader): Triple {
  const edges = voxelSize(header);
  if (!edges) return [1, 1, 1];
  const [x, y, z] = edges;
  const scale = toFile(axisOrder(header), [x, y, z === 0 ? x : z]);
  return isPlausibleVoxel(scale) && Math.max(...scale) >= LEAST_STRETCHED * Math.min(...scale) ? scale : [1, 1, 1];
}

/** False when a voxel is so oblong that its cell must be wrong, or when an edge is not known. */
export function isPlausibleVoxel(edges: readonly number[]): boolean {
  return edges.every((edge) => edge > 0) && Math.max(...edges) <= MOST_STRETCHED * Math.min(...edges);
}

/** `columns Z, rows X, sections Y`; null when they are X, Y, Z. */
export function describeAxes(header: { readonly axes: Triple }): string | null {
  const order = axisOrder(header);
  if (isStandardOrder(order)) return null;
  const [columns, rows, sections] = order.map((axis) => 'XYZ'[axis]);
  return `columns ${columns}, rows ${rows}, sections ${sections}`;
}

function numbers([a, b, c]: Triple): Numbers {
  return [finite(a), finite(b), finite(c)];
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? digits(value) : null;
}

/** The digits of a float32. */
function digits(value: number): number {
  return Number(value.toPrecision(7));
}
