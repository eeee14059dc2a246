/** Conditional requests (RFC 9110 section 13) for GET and HEAD. */
import { UploadError } from '@cryolift/protocol/errors';

export interface Conditions {
  'if-match'?: string | undefined;
  'if-none-match'?: string | undefined;
  'if-modified-since'?: string | undefined;
  'if-unmodified-since'?: string | undefined;
}

/** Identifies the representation that would be sent. */
export interface Validators {
  /** A strong entity tag, with its quotes. */
  readonly etag: string;
  /** Another strong tag that the same bytes had before, with its quotes. */
  readonly earlierEtag?: string;
  /** When it last changed; null: unknown, and conditions on it are ignored. */
  readonly lastModifiedMs: number | null;
}

/** `failed` is answered with 412, `not_modified` with 304. */
export type ConditionOutcome = 'proceed' | 'not_modified' | 'failed';

/** Evaluates the conditions in the order of section 13.2.2: an entity tag, where there is one, decides over a date. */
export function checkConditions(conditions: Conditions, { lastModifiedMs, ...tags }: Validators): ConditionOutcome {
  const match = conditions['if-match'];
  const noneMatch = conditions['if-none-match'];
  const unmodifiedSince = readDate(conditions['if-unmodified-since'], lastModifiedMs);
  const modifiedSince = readDate(conditions['if-modified-since'], lastModifiedMs);
  if (match !== undefined) {
    if (!listHas(match, (tag) => isTagOf(tag, tags))) return 'failed';
  } else if (unmodifiedSince && unmodifiedSince.lastModifiedMs > unmodifiedSince.dateMs) return 'failed';
  if (noneMatch !== undefined) {
    // Weak comparison (section 13.1.2).
    if (listHas(noneMatch, (tag) => isTagOf(tag.replace(/^W\//, ''), tags))) return 'not_modified';
  } else if (modifiedSince && modifiedSince.lastModifiedMs <= modifiedSince.dateMs) return 'not_modified';
  return 'proceed';
}

/** @returns the error for the outcome `failed`. */
export function preconditionFailed(): UploadError {
  return new UploadError('precondition_failed', 'The stored resource does not match the condition of the request.');
}

/**
 * For calls that change something. What they change has no entity tag, so no tag in If-Match can match (section
 * 13.1.1).
 *
 * @throws UploadError `precondition_failed`.
 */
export function refuseEntityTags(method: string, { 'if-match': match }: Conditions): void {
  if (match === undefined || match.trim() === '*' || method === 'GET' || method === 'HEAD') return;
  throw new UploadError('precondition_failed', 'The resource has no entity tag, so If-Match cannot match.', {
    hint: 'Send the request without If-Match.',
  });
}

/** Strong comparison. */
export function isTagOf(tag: string, { etag, earlierEtag }: Pick<Validators, 'etag' | 'earlierEtag'>): boolean {
  return tag === etag || tag === earlierEtag;
}

function listHas(list: string, isIt: (tag: string) => boolean): boolean {
  return list.trim() === '*' || list.split(',').some((each) => isIt(each.trim()));
}

/**
 * @returns null when the condition is ignored: the header is missing or is no date, or there is nothing to compare
 * with.
 */
function readDate(
  value: string | undefined,
  lastModifiedMs: number | null,
): { dateMs: number; lastModifiedMs: number } | null {
  const dateMs = value === undefined ? null : parseHttpDate(value);
  if (dateMs === null || lastModifiedMs === null) return null;
  return { dateMs, lastModifiedMs: wholeSeconds(lastModifiedMs) };
}

/** The precision of Last-Modified. */
export function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}

const IMF_FIXDATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
const RFC_850 = /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/;
const ASCTIME = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/;

/** A date in one of the three forms of section 5.6.7, in milliseconds since 1970; null for anything else. */
export function parseHttpDate(value: string): number | null {
  const text = value.trim();
  const isDate = IMF_FIXDATE.test(text) || RFC_850.test(text) || ASCTIME.test(text);
  const ms = isDate ? Date.parse(text.endsWith('GMT') ? text : `${text} GMT`) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}
