import type { Stretch } from '../voxels/rows.ts';

/**
 * The sections around one, `slab` of them, fewer where there are no more.
 *
 * @param length sections of one volume; the slab does not leave that of `slice`.
 */
export function slabAround(length: number, slice: number, slab = 1): Stretch {
  const first = Math.floor(slice / length) * length;
  const count = Math.min(slab, length);
  const from = Math.max(first, Math.min(slice - Math.floor(count / 2), first + length - count));
  return { from, to: from + count };
}
