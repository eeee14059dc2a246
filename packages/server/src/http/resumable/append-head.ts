/** Reads the head of a request that appends to an upload. */
import type { IncomingMessage } from 'node:http';
import { UploadError } from '@cryolift/protocol/errors';
import { bodyLengthOf, mediaTypeOf } from '../connection/body-head.ts';
import { readComplete, readLength, refuseContentCoding } from './body-head.ts';
import { type ContentDigest, readContentDigest, readReprDigest } from './digests.ts';
import { parseInteger } from './fields.ts';
import type { Interop } from './interop.ts';
import { unsupportedMedia } from './problem.ts';

export const PARTIAL_UPLOAD = 'application/partial-upload';

export interface AppendHead {
  /** Where the body begins, as the client says. Bytes. */
  readonly offset: number;
  /** Null: chunked. */
  readonly bodyBytes: number | null;
  /** The file ends with the body. */
  readonly isComplete: boolean;
  /** Of the file; null: the request does not say. */
  readonly lengthBytes: number | null;
  /** Of the body; null: none was announced. */
  readonly checksum: ContentDigest | null;
  /** Of the whole file; null: none was announced. */
  readonly sha256: Uint8Array | null;
}

/** @throws UploadError `invalid_request`, `unsupported_digest`; Problem. */
export function readAppend(request: IncomingMessage, interop: Interop): AppendHead {
  const { headers } = request;
  if (interop.needsMediaType && mediaTypeOf(request) !== PARTIAL_UPLOAD) {
    const message = `An append has Content-Type: ${PARTIAL_UPLOAD}.`;
    throw unsupportedMedia(message, 'Send this Content-Type, whatever the file is.');
  }
  refuseContentCoding(headers);
  const offset = parseInteger(headers['upload-offset']);
  if (offset === null) throw new UploadError('invalid_request', 'Upload-Offset is missing, or no whole number.');
  const isLast = readComplete(headers, interop) ?? (interop.completesByDefault || null);
  if (isLast === null) {
    throw new UploadError('invalid_request', `${interop.completeField} is missing, or neither ?0 nor ?1.`);
  }
  const sha256 = readReprDigest(headers);
  if (sha256 && !isLast) {
    throw new UploadError('invalid_request', 'Repr-Digest comes with the first request, or with the last.', {
      hint: 'Send Content-Digest for the bytes of one request.',
    });
  }
  const bodyBytes = bodyLengthOf(headers);
  const lengthBytes = readLength(headers, { offset, bodyBytes, isComplete: isLast });
  return { offset, bodyBytes, isComplete: isLast, lengthBytes, checksum: readContentDigest(headers), sha256 };
}
