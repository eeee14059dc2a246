/** The name of an uploaded file: `filename` of Content-Disposition (RFC 6266), or the end of the path. */
import { UploadError } from '@cryolift/protocol/errors';
import { parse } from 'content-disposition';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * @param disposition the field as Node gives it, where each character is one byte.
 * @param pathName what follows `/resumable/`, decoded; empty: nothing.
 * @returns null when neither has a name.
 * @throws UploadError `not_found` for a path of several segments.
 */
export function nameOf(disposition: string | undefined, pathName: string): string | null {
  if (pathName.includes('/')) throw new UploadError('not_found', 'This path does not exist.');
  // The library decodes `filename*`, and prefers it.
  const named = disposition === undefined ? '' : (parse(decode(disposition)).parameters.filename ?? '');
  return named || pathName || null;
}

/** Many clients send UTF-8 in `filename`, where RFC 6266 has ISO-8859-1. */
function decode(value: string): string {
  try {
    return utf8.decode(Buffer.from(value, 'latin1'));
  } catch {
    return value;
  }
}
