/** Conditional and range requests on a file whose bytes never change (RFC 9110 sections 13 and 14). */

export type Selection =
  | { kind: 'not_modified' }
  | { kind: 'whole' }
  | { kind: 'range'; start: number; end: number }
  | { kind: 'unsatisfiable' };

export interface Conditions {
  range?: string | undefined;
  'if-range'?: string | undefined;
  'if-none-match'?: string | undefined;
}

/**
 * What to answer a GET or HEAD with.
 *
 * More than one range, or a range that does not parse, is answered with the whole file, as section 14.2 allows.
 *
 * @param etag strong, with its quotes. @param lastModifiedMs when the file was published.
 * @returns `start` and `end` in bytes, inclusive.
 */
export function selectBytes(
  conditions: Conditions,
  etag: string,
  sizeBytes: number,
  lastModifiedMs: number,
): Selection {
  if (isNotModified(conditions, etag)) return { kind: 'not_modified' };
  const match = /^bytes=\s*(\d*)-(\d*)\s*$/.exec(conditions.range ?? '');
  if (!match || !rangeApplies(conditions['if-range'], etag, lastModifiedMs)) return { kind: 'whole' };
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

/** True when the client has this very representation: to be answered with 304. */
export function isNotModified({ 'if-none-match': known }: Conditions, etag: string): boolean {
  return known !== undefined && matchesAny(known, etag);
}

/** Weak comparison, as section 13.1.2 asks for If-None-Match. */
function matchesAny(list: string, etag: string): boolean {
  return list.trim() === '*' || list.split(',').some((each) => each.trim().replace(/^W\//, '') === etag);
}

/** Strong comparison, as section 13.1.5 asks for If-Range; a date must be the exact one. */
function rangeApplies(ifRange: string | undefined, etag: string, lastModifiedMs: number): boolean {
  if (ifRange === undefined) return true;
  const value = ifRange.trim();
  if (value.startsWith('"') || value.startsWith('W/')) return value === etag;
  return Date.parse(value) === Math.floor(lastModifiedMs / 1000) * 1000;
}
