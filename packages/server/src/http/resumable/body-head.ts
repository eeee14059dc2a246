/** What the head of a request says of its body. */
import type { IncomingHttpHeaders } from 'node:http';
import { isContentCoded } from '../connection/body-head.ts';
import { parseBoolean, parseInteger } from './fields.ts';
import type { Interop } from './interop.ts';
import { inconsistentLength, unsupportedMedia } from './problem.ts';

/** @throws Problem with status 415 (RFC 9110 section 15.5.16). */
export function refuseContentCoding(headers: IncomingHttpHeaders): void {
  if (!isContentCoded(headers)) return;
  throw unsupportedMedia('Files are sent without a Content-Encoding.', 'Send the bytes of the file as they are.');
}

/** @returns whether the file ends with the body; null: the request does not say. */
export function readComplete(headers: IncomingHttpHeaders, { completeField }: Interop): boolean | null {
  if (completeField === 'Upload-Complete') return parseBoolean(headers['upload-complete']);
  const isIncomplete = parseBoolean(headers['upload-incomplete']);
  return isIncomplete === null ? null : !isIncomplete;
}

interface Announced {
  /** Where the body begins in the file. Bytes. */
  readonly offset: number;
  /** Null: chunked. */
  readonly bodyBytes: number | null;
  /** The file ends with the body. */
  readonly isComplete: boolean;
}

/**
 * The length of the file, which a request can say in two ways: by `Upload-Length`, and by a body that ends the file.
 *
 * @returns bytes; null: the request does not say. @throws Problem `inconsistent-upload-length`.
 */
export function readLength(headers: IncomingHttpHeaders, announced: Announced): number | null {
  const { offset, bodyBytes, isComplete } = announced;
  const declared = parseInteger(headers['upload-length']);
  if (bodyBytes === null) return declared;
  const end = offset + bodyBytes;
  if (!isComplete) return declared;
  if (declared !== null && declared !== end) {
    throw inconsistentLength(`Upload-Length is ${declared}, and the file ends with this body at ${end}.`);
  }
  return end;
}
