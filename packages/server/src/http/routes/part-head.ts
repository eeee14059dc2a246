/** Reads the head of a part's request, before its body is read. Both paths use this file. */
import type { IncomingHttpHeaders } from 'node:http';
import { parseDigestHeader } from '@cryolift/protocol/digest';
import { UploadError } from '@cryolift/protocol/errors';
import { isContentCoded } from '../connection/body-head.ts';
import { ZSTD } from '../connection/zstd-receiver.ts';

/** Checksums of other specifications. They are refused, because ignoring one would hide damage. */
const OTHER_DIGESTS = ['digest', 'repr-digest', 'content-md5'];

/** @throws UploadError `invalid_request`. The upload refuses an index that it does not have. */
export function parsePartIndex(text: string): number {
  if (!/^(0|-?[1-9]\d{0,15})$/.test(text)) {
    throw new UploadError('invalid_request', 'A part index is a whole number, counted from 0.');
  }
  return Number(text);
}

/** SHA-256 that the client announces. */
export interface PartDigests {
  /** Of the part; null: not announced. */
  readonly part: Uint8Array | null;
  /** Content-Digest of a body that is coded; null: not announced, or the body is not coded. */
  readonly codedBody: Uint8Array | null;
}

/**
 * Reads Content-Digest, which is of the body as it is sent (RFC 9530), and Unencoded-Digest, which is of the part
 * (draft-ietf-httpbis-unencoded-digest). Without a coding both are of the part.
 *
 * @throws UploadError `unsupported_digest`, `invalid_request`.
 */
export function parsePartDigests(headers: IncomingHttpHeaders, isCoded: boolean): PartDigests {
  const other = OTHER_DIGESTS.find((name) => headers[name] !== undefined);
  if (other) throw new UploadError('unsupported_digest', `${other} is not supported.`);
  const content = parseDigest('Content-Digest', headers['content-digest']);
  const unencoded = parseDigest('Unencoded-Digest', headers['unencoded-digest']);
  if (isCoded) return { part: unencoded, codedBody: content };
  if (content && unencoded && Buffer.compare(content, unencoded) !== 0) {
    throw new UploadError('invalid_request', 'Content-Digest and Unencoded-Digest differ, and the body is not coded.');
  }
  return { part: unencoded ?? content, codedBody: null };
}

function parseDigest(name: string, value: string | string[] | undefined): Uint8Array | null {
  if (value === undefined) return null;
  const digest = parseDigestHeader(String(value));
  switch (digest.kind) {
    case 'sha-256':
      return digest.digest;
    case 'unsupported':
      throw new UploadError('unsupported_digest', `${name}: ${digest.algorithm} is not supported.`);
    case 'malformed':
      throw new UploadError('invalid_request', `${name} is not of the form sha-256=:BASE64: (RFC 9530).`);
  }
}

/** @returns whether the body is zstd. @throws UploadError `invalid_request` for any other coding. */
export function isPartCoded(headers: IncomingHttpHeaders): boolean {
  if (!isContentCoded(headers)) return false;
  if (headers['content-encoding']?.toLowerCase() === ZSTD) return true;
  throw new UploadError('invalid_request', 'A part has no Content-Encoding, or zstd.');
}

/** @returns bytes of the body. @throws UploadError `length_required`. */
export function parsePartLength(headers: IncomingHttpHeaders): number {
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
