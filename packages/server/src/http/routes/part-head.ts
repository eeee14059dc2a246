/** Reads the head of a part's request, before its body is read. Both paths use this file. */
import type { IncomingHttpHeaders } from 'node:http';
import { parseDigestHeader } from '@cryolift/protocol/digest';
import { UploadError } from '@cryolift/protocol/errors';

/** Checksums of other specifications. They are refused, because ignoring one would hide damage. */
const OTHER_DIGESTS = ['digest', 'repr-digest', 'content-md5'];

/** @throws UploadError `invalid_request`. The upload refuses an index that it does not have. */
export function parsePartIndex(text: string): number {
  if (!/^(0|-?[1-9]\d{0,15})$/.test(text)) {
    throw new UploadError('invalid_request', 'A part index is a whole number, counted from 0.');
  }
  return Number(text);
}

/** @returns the announced SHA-256, or null. @throws UploadError `unsupported_digest`, `invalid_request`. */
export function parsePartDigest(headers: IncomingHttpHeaders): Uint8Array | null {
  const other = OTHER_DIGESTS.find((name) => headers[name] !== undefined);
  if (other) throw new UploadError('unsupported_digest', `${other} is not supported.`);
  const value = headers['content-digest'];
  if (value === undefined) return null;
  const digest = parseDigestHeader(String(value));
  switch (digest.kind) {
    case 'sha-256':
      return digest.digest;
    case 'unsupported':
      throw new UploadError('unsupported_digest', `Content-Digest: ${digest.algorithm} is not supported.`);
    case 'malformed':
      throw new UploadError('invalid_request', 'Content-Digest is not of the form sha-256=:BASE64: (RFC 9530).');
  }
}

/** @returns bytes. @throws UploadError `length_required`, `invalid_request`. */
export function parsePartLength(headers: IncomingHttpHeaders): number {
  if (headers['content-encoding'] !== undefined && headers['content-encoding'] !== 'identity') {
    throw new UploadError('invalid_request', 'Parts are sent without a Content-Encoding.');
  }
  const length = headers['content-length'];
  if (length === undefined || headers['transfer-encoding'] !== undefined) {
    throw new UploadError('length_required', 'A part needs a Content-Length.');
  }
  return Number(length);
}

/**
 * Reads where the part begins in the file. It is compared with the index, because one damaged digit in the path would
 * put good bytes at a wrong place.
 *
 * @returns bytes, or null when the client does not say. @throws UploadError `invalid_request`.
 */
export function parsePartOffset(headers: IncomingHttpHeaders): number | null {
  const value = headers['upload-offset'];
  if (value === undefined) return null;
  if (typeof value === 'string' && /^(0|[1-9]\d{0,14})$/.test(value)) return Number(value);
  throw new UploadError('invalid_request', 'Upload-Offset is a whole number of bytes.');
}
