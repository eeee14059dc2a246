/** The headers of a tus request, before its body is read. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { UploadError } from '@cryolift/protocol/errors';
import type { BodyChecksum } from '../../uploads/append/body-checksum.ts';
import { isContentCoded, mediaTypeOf } from '../connection/body-head.ts';
import { checksumOf, TrailerChecksum } from './checksum.ts';
import { TusError } from './failures.ts';

export const TUS_VERSION = '1.0.0';
/** Of bodies whose bytes are appended. */
const OFFSET_TYPE = 'application/offset+octet-stream';

const NUMBER = /^(0|[1-9]\d{0,15})$/;

/** @returns null when the header is not there. @throws UploadError `invalid_request`. */
export function parseSize(headers: IncomingHttpHeaders, name: 'upload-length' | 'upload-offset'): number | null {
  const value = headers[name];
  if (value === undefined) return null;
  const size = typeof value === 'string' && NUMBER.test(value) ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(size)) return size;
  throw new UploadError('invalid_request', `${printName(name)} is not a whole number of bytes.`);
}

/**
 * The length that a creation declares.
 *
 * @returns bytes; null: it is declared later. @throws UploadError `invalid_request`.
 */
export function parseDeclaredLength(headers: IncomingHttpHeaders): number | null {
  const sizeBytes = parseSize(headers, 'upload-length');
  const deferred = headers['upload-defer-length'];
  if (deferred !== undefined && deferred !== '1') {
    throw new UploadError('invalid_request', 'Upload-Defer-Length can only be 1.');
  }
  if (sizeBytes === null && deferred === undefined) {
    throw new UploadError('invalid_request', 'Upload-Length and Upload-Defer-Length are missing.');
  }
  if (sizeBytes !== null && deferred !== undefined) {
    throw new UploadError('invalid_request', 'Upload-Length and Upload-Defer-Length exclude each other.');
  }
  return sizeBytes;
}

/** @throws TusError 415 when the body is of another type than that of bytes to append. */
export function assertOffsetType(request: IncomingMessage): void {
  if (mediaTypeOf(request) === OFFSET_TYPE) return;
  throw new TusError(415, 'invalid_request', `The body needs Content-Type: ${OFFSET_TYPE}.`);
}

/** A header that Node joins when it is repeated. */
export function textOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}

/** @throws UploadError `invalid_request`. */
export function refuseContentCoding(headers: IncomingHttpHeaders): void {
  if (!isContentCoded(headers)) return;
  throw new UploadError('invalid_request', 'Bytes are sent without a Content-Encoding.');
}

/** @returns the checksum of the body; null: none is announced. @throws UploadError `invalid_request`. */
export function checksumOfBody(request: IncomingMessage): BodyChecksum | null {
  const { headers } = request;
  const header = headers['upload-checksum'];
  if (header !== undefined) return checksumOf(String(header));
  const trailers = (headers.trailer ?? '').toLowerCase().split(',');
  if (!trailers.some((name) => name.trim() === 'upload-checksum')) return null;
  return new TrailerChecksum(() => request.trailers['upload-checksum']);
}

function printName(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}
