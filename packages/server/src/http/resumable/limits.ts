/** `Upload-Limit`. */
import { printDictionary } from './fields.ts';
import type { Interop } from './interop.ts';

/** Limits of draft-spk-httpbis-parallel-upload, section 4.2. */
export interface ParallelLimits {
  /** Appends to one upload that may be under way. */
  readonly maxParallel: number;
  /** How far beyond the contiguous offset an append may end, bytes. */
  readonly windowBytes: number;
  /** Every append begins at a multiple of this, and has a multiple of it, unless it ends the file. Bytes. */
  readonly alignmentBytes: number;
}

/**
 * @param ageMs for how long the upload is kept from now on, when no byte arrives.
 * @returns null when this version of the draft has no such field.
 */
export function printLimits(
  { ageLimit }: Pick<Interop, 'ageLimit'>,
  maxSizeBytes: number,
  ageMs: number,
  parallel: ParallelLimits | null = null,
): string | null {
  if (ageLimit === null) return null;
  return printDictionary({
    'max-size': maxSizeBytes,
    'min-size': 0,
    [ageLimit]: Math.max(0, Math.floor(ageMs / 1000)),
    ...(parallel && {
      'max-parallel': parallel.maxParallel,
      'reorder-window': parallel.windowBytes,
      'append-alignment': parallel.alignmentBytes,
      commit: 'explicit',
    }),
  });
}
