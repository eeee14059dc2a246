/** Range requests on a file whose bytes never change (RFC 9110 section 14), and the conditions before them. */
import {
  type Conditions,
  checkConditions,
  isTagOf,
  parseHttpDate,
  type Validators,
  wholeSeconds,
} from './conditions.ts';

export type Selection =
  | { kind: 'failed' }
  | { kind: 'not_modified' }
  | { kind: 'whole' }
  | { kind: 'range'; start: number; end: number }
  | { kind: 'unsatisfiable' };

export interface RangeRequest extends Conditions {
  range?: string | undefined;
  'if-range'?: string | undefined;
}

/**
 * Selects the answer to a GET or HEAD.
 *
 * More than one range, or a range that does not parse, is answered with the whole file, as section 14.2 allows.
 *
 * @returns `start` and `end` in bytes, inclusive.
 */
export function selectBytes(request: RangeRequest, validators: Validators, sizeBytes: number): Selection {
  const outcome = checkConditions(request, validators);
  if (outcome !== 'proceed') return { kind: outcome };
  const match = /^bytes=\s*(\d*)-(\d*)\s*$/.exec(request.range ?? '');
  if (!match || !rangeApplies(request['if-range'], validators)) return { kind: 'whole' };
  const [, first, last] = match as unknown as [string, string, string];
  if (first === '' && last === '') return { kind: 'whole' };
  if (first === '') {
    const suffix = Math.min(Number(last), sizeBytes);
    return suffix === 0 ? { kind: 'unsatisfiable' } : { kind: 'range', start: sizeBytes - suffix, end: sizeBytes - 1 };
  }
  const start = Number(first);
  const end = last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  if (last !== '' && Number(last) < start) return { kind: 'whole' };
  return start >= sizeBytes ? { kind: 'unsatisfiable' } : { kind: 'range', start, end };
}

/** Compares strongly, as section 13.1.5 requires for If-Range. A date must be equal. */
function rangeApplies(ifRange: string | undefined, { lastModifiedMs, ...tags }: Validators): boolean {
  if (ifRange === undefined) return true;
  const value = ifRange.trim();
  if (value.startsWith('"') || value.startsWith('W/')) return isTagOf(value, tags);
  return lastModifiedMs !== null && parseHttpDate(value) === wholeSeconds(lastModifiedMs);
}
