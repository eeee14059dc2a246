/** Cursors of lists that are sorted by more than an id. */
import { createHash } from 'node:crypto';
import { UploadError } from '@cryolift/protocol/errors';

/** @param of what the list is of: only a page of the same list takes the cursor. @param values of JSON. */
export function sealCursor(of: string, values: readonly unknown[]): string {
  return Buffer.from(JSON.stringify([digest(of), ...values])).toString('base64url');
}

/** @returns the values, which a client may have made up. @throws UploadError `invalid_request`. */
export function openCursor(of: string, cursor: string): readonly unknown[] {
  try {
    const [made, ...values] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
    if (made === digest(of)) return values;
  } catch {
    // It is not JSON, or no list.
  }
  throw wrongCursor();
}

export function wrongCursor(): UploadError {
  return new UploadError('invalid_request', 'The request is not valid: cursor is not of a page of this list.');
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 12);
}
