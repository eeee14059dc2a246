import type { MrcSummary } from './summary.ts';

/** By which edges may differ that are shown as one. */
const TOLERANCE = 1e-4;

/**
 * `2.7 Å/px`, or `2.7 × 2.7 × 3.1 Å/px` when the edges differ. Along z only for volumes: the images of a stack have no
 * thickness. Null when the header gives none.
 */
export function describePixelSize(
  { voxel_size, kind }: Pick<MrcSummary, 'voxel_size' | 'kind'>,
  format: (angstroms: number) => string = String,
): string | null {
  if (!voxel_size) return null;
  const [x, y, z] = voxel_size;
  const edges = hasThickness(kind) && z > 0 ? [x, y, z] : [x, y];
  const isOne = edges.every((edge) => Math.abs(edge - x) <= TOLERANCE * x);
  return `${isOne ? format(x) : edges.map(format).join(' × ')} Å/px`;
}

/** True for the kinds whose sections lie on top of each other. */
export function hasThickness(kind: MrcSummary['kind']): boolean {
  return kind === 'volume' || kind === 'volume_stack';
}
