import type { MrcSummary } from './summary.ts';

/** Relative difference up to which edges are written as one number. */
const TOLERANCE = 1e-4;

/**
 * `2.7 Å/px`, or `2.7 × 2.7 × 3.1 Å/px` when the edges differ. z is included only for volumes, because images have no
 * thickness. Null when the header has no voxel size.
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

/** True for kinds whose sections are layers of a volume. */
export function hasThickness(kind: MrcSummary['kind']): boolean {
  return kind === 'volume' || kind === 'volume_stack';
}
