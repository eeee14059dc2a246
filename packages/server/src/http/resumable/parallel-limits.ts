/** What an upload in parallel mode says (draft-spk-httpbis-parallel-upload-00). */
import type { AppendState } from '../../uploads/append/state.ts';
import type { ParallelLimits } from './limits.ts';

/** Appends to one upload that may be under way at once. */
export const MAX_PARALLEL = 32;
/** More are left out, as section 6 allows, so that the field stays below 8 KiB. */
const MAX_RANGES = 200;

type Range = AppendState['received'][number];

/** @returns null for an upload that is not in parallel mode. */
export function parallelLimitsOf({
  protocol,
  lengthBytes,
  partSizeBytes,
}: Pick<AppendState, 'protocol' | 'lengthBytes' | 'partSizeBytes'>): ParallelLimits | null {
  if (protocol !== 'parallel') return null;
  return { maxParallel: MAX_PARALLEL, windowBytes: lengthBytes ?? 0, alignmentBytes: partSizeBytes };
}

/** `Upload-Received`: a list of `(start end)`, ascending, where adjacent ranges are one. */
export function printReceived(received: readonly Range[]): string {
  const merged: { start: number; end: number }[] = [];
  for (const { offset, length } of received) {
    const last = merged.at(-1);
    if (last && last.end === offset) last.end += length;
    else merged.push({ start: offset, end: offset + length });
  }
  return merged
    .slice(0, MAX_RANGES)
    .map(({ start, end }) => `(${start} ${end})`)
    .join(', ');
}
