/** Reads the head of a request that starts an upload. */
import type { IncomingMessage } from 'node:http';
import { UploadError } from '@cryolift/protocol/errors';
import { bodyLengthOf } from '../connection/body-head.ts';
import { readComplete, readLength, refuseContentCoding } from './body-head.ts';
import { type ContentDigest, readContentDigest, readReprDigest } from './digests.ts';
import { parseBoolean } from './fields.ts';
import { nameOf } from './filename.ts';
import type { Interop } from './interop.ts';
import { inconsistentLength, unsupportedMedia } from './problem.ts';

export interface CreationHead {
  /** The body is the whole file. */
  readonly isComplete: boolean;
  /** Of the body; null: chunked. */
  readonly bodyBytes: number | null;
  /** Of the file; null: not known. */
  readonly lengthBytes: number | null;
  /** Of the body; null: none was announced. */
  readonly checksum: ContentDigest | null;
  /** Of the whole file; null: none was announced. */
  readonly sha256: Uint8Array | null;
  readonly filename: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** `Want-Repr-Digest` as it was sent; null: none. */
  readonly wantedDigest: string | null;
  /** The client asks for appends in parallel, and has sent no bytes yet. */
  readonly wantsParallel: boolean;
}

/** Types that say nothing of the file: programs send them by default. */
const NO_TYPES = ['application/octet-stream', 'application/x-www-form-urlencoded'];
/** Kept with the upload. */
const MAX_WANTED_CHARACTERS = 256;

/**
 * @param pathName what follows `/resumable/`, decoded.
 * @throws UploadError `invalid_request`, `unsupported_digest`, `not_found`; Problem `inconsistent-upload-length`.
 */
export function readCreation(request: IncomingMessage, pathName: string, interop: Interop): CreationHead {
  const { headers, headersDistinct } = request;
  const filename = nameOf(headers['content-disposition'], pathName);
  const isComplete = readComplete(headers, interop);
  if (isComplete === null) {
    throw new UploadError('invalid_request', `${interop.completeField} is missing, or neither ?0 nor ?1.`, {
      hint: 'Send Upload-Complete: ?1 when the body is the whole file, and ?0 when more follows.',
    });
  }
  refuseContentCoding(headers);
  // Taken out of `headers` by `takeAnyBody`.
  const mediaType = headersDistinct['content-type']?.[0];
  const bodyBytes = bodyLengthOf(headers);
  const lengthBytes = readLength(headers, { offset: 0, bodyBytes, isComplete });
  if (lengthBytes !== null && bodyBytes !== null && bodyBytes > lengthBytes) {
    throw inconsistentLength(`Upload-Length is ${lengthBytes}, and the body has ${bodyBytes} bytes.`);
  }
  const wanted = headers['want-repr-digest'];
  return {
    isComplete,
    bodyBytes,
    lengthBytes,
    checksum: readContentDigest(headers),
    sha256: readReprDigest(headers),
    filename,
    metadata: metadataOf(mediaType),
    wantedDigest: typeof wanted === 'string' && wanted.length <= MAX_WANTED_CHARACTERS ? wanted : null,
    wantsParallel: parseBoolean(headers['upload-parallel']) === true && !isComplete && bodyBytes === 0,
  };
}

/** @returns the media type as tus clients name it. @throws Problem for a form, whose body is more than the file. */
function metadataOf(mediaType: string | undefined): Record<string, string> {
  if (mediaType === undefined) return {};
  const [name = ''] = mediaType.split(';');
  const type = name.trim().toLowerCase();
  if (type.startsWith('multipart/')) {
    throw unsupportedMedia('The body is a form. It must be the bytes of the file.', 'Use curl -T FILE, not curl -F.');
  }
  return type === '' || NO_TYPES.includes(type) ? {} : { filetype: mediaType };
}
