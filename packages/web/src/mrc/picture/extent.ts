/** How large what a picture shows is, in voxels and in Å. */
import { isPlausibleVoxel, type PreviewKind, sectionsAlong } from '@cryolift/mrc';
import type { FileRecord } from '@cryolift/protocol/messages';
import type { Size } from './view.ts';

type Mrc = NonNullable<FileRecord['mrc']>;

export interface Extent {
  /** Columns and rows of voxels. */
  readonly voxels: Size;
  /** The same, with voxels that are drawn to scale: those of the shorter edge are one pixel. */
  readonly picture: Size;
  /** Å of a pixel; null when it is not known. */
  readonly angstroms: number | null;
}

/** Smaller differences of the edges of a voxel are not drawn. */
const LEAST_STRETCHED = 1.01;

/** Null for pictures that have no voxels of their own: montages, spectra and plots. */
export function extentOf(mrc: Mrc, kind: PreviewKind, axis: 'x' | 'y' | 'z'): Extent | null {
  if (kind !== 'section' && kind !== 'average') return null;
  const across = kind === 'section' ? axis : 'z';
  const [right, up] = ({ x: ['y', 'z'], y: ['x', 'z'], z: ['x', 'y'] } as const)[across];
  const lengthOf = (each: 'x' | 'y' | 'z') =>
    Math.floor(sectionsAlong(mrc, each) / (each === 'z' ? (mrc.geometry?.volumes ?? 1) : 1));
  const voxels = { width: lengthOf(right), height: lengthOf(up) };
  const edges = edgesOf(mrc);
  if (!edges) return { voxels, picture: voxels, angstroms: null };
  const [width, height] = [edges[right], edges[up]];
  const isDrawn = isPlausibleVoxel(Object.values(edges)) && !isCube(edges);
  const least = Math.min(width, height);
  return {
    voxels,
    picture: isDrawn ? { width: (voxels.width * width) / least, height: (voxels.height * height) / least } : voxels,
    angstroms: isDrawn ? least : width,
  };
}

function edgesOf({ voxel_size: size }: Mrc): { x: number; y: number; z: number } | null {
  const [x = 0, y = 0, z = 0] = size ?? [];
  return x > 0 && y > 0 ? { x, y, z: z > 0 ? z : x } : null;
}

function isCube({ x, y, z }: { x: number; y: number; z: number }): boolean {
  return Math.max(x, y, z) < LEAST_STRETCHED * Math.min(x, y, z);
}
