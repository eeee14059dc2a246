/** Headers of requests and of answers, as the OpenAPI document describes them. */
import { type TSchema, Type } from 'typebox';

/** All headers of a request together have no more: the default of `node:http`, bytes. */
const MAX_LENGTH = 16 * 1024;
const CONDITION = { minLength: 1, maxLength: MAX_LENGTH, description: 'RFC 9110 section 13.' };
const DATE = { ...CONDITION, description: 'An HTTP date; RFC 9110 section 13.' };
/** `sha-256=:BASE64:` */
const DIGEST_LENGTH = 54;

export const REQUEST_HEADERS = {
  'Content-Digest': Type.String({
    pattern: '^sha-256=:[A-Za-z0-9+/]{43}=:$',
    maxLength: DIGEST_LENGTH,
    description: 'SHA-256 of the body, `sha-256=:BASE64:` (RFC 9530). The part is refused when it differs.',
  }),
  'Content-Encoding': Type.Enum(['identity', 'zstd'], { description: 'zstd: the body is the compressed part.' }),
  'Cryolift-Challenge': Type.String({
    pattern: '^[0-9a-f]{64}$',
    maxLength: 64,
    description: 'Asks a server on the same machine to prove that it has the secret of its tokens.',
  }),
  'Idempotency-Key': Type.String({
    minLength: 1,
    maxLength: 255,
    description: 'The same key with the same request returns the upload that the first request started.',
  }),
  'If-Match': Type.String(CONDITION),
  'If-Modified-Since': Type.String(DATE),
  'If-None-Match': Type.String(CONDITION),
  'If-Range': Type.String({
    minLength: 1,
    maxLength: MAX_LENGTH,
    description: 'An entity tag or an HTTP date: when it does not match, `Range` is ignored (RFC 9110 section 13.1.5).',
  }),
  'If-Unmodified-Since': Type.String(DATE),
  Range: Type.String({
    minLength: 1,
    maxLength: MAX_LENGTH,
    description: 'One range of bytes, as in `bytes=0-1023` (RFC 9110 section 14.2).',
  }),
  'Unencoded-Digest': Type.String({
    pattern: '^sha-256=:[A-Za-z0-9+/]{43}=:$',
    maxLength: DIGEST_LENGTH,
    description:
      'SHA-256 of the part before it was compressed, `sha-256=:BASE64:`. The part is refused when it differs.',
  }),
  'Upload-Offset': Type.Integer({
    minimum: 0,
    maximum: 999_999_999_999_999,
    description: 'Offset of the part in the file, bytes. The part is refused when it differs.',
  }),
} satisfies Record<string, TSchema>;

export type RequestHeader = keyof typeof REQUEST_HEADERS;

/** Of calls that answer with an entity tag. */
export const CONDITIONS = ['If-Match', 'If-None-Match', 'If-Modified-Since', 'If-Unmodified-Since'] as const;

/** Of answers: the headers of `components`. */
export const RESPONSE_HEADERS = {
  'Accept-Encoding': Type.Enum(['zstd'], { description: 'A part may have this Content-Encoding.' }),
  'Accept-Ranges': Type.Enum(['bytes'], { description: 'Ranges of bytes are supported.' }),
  'Content-Disposition': Type.String({ description: 'The name of the file (RFC 6266).' }),
  'Content-Range': Type.String({ description: 'Range of the file in this answer; with 416, its size.' }),
  'Cryolift-Proof': Type.String({ pattern: '^[0-9a-f]{64}$', description: 'Answers `Cryolift-Challenge`.' }),
  ETag: Type.String({ minLength: 2, description: 'Strong entity tag.' }),
  'Last-Modified': Type.String({ description: 'An HTTP date.' }),
  Location: Type.String({ minLength: 1, description: 'Path of the upload.' }),
  'RateLimit-Limit': Type.Integer({ minimum: 0, description: 'Requests per second of the caller.' }),
  'RateLimit-Remaining': Type.Integer({ minimum: 0, description: 'Remaining requests.' }),
  'RateLimit-Reset': Type.Integer({ minimum: 0, description: 'Seconds until the limit is reset.' }),
  'Repr-Digest': Type.String({ description: 'SHA-256 of the whole file (RFC 9530), also with a range.' }),
  'Retry-After': Type.Integer({ minimum: 0, description: 'Seconds to wait before the next request.' }),
  'WWW-Authenticate': Type.String({ description: 'RFC 6750 section 3.' }),
  'X-Request-Id': Type.String({
    minLength: 1,
    maxLength: 128,
    description: 'Id of this request in the log. A valid id in the request is used.',
  }),
} satisfies Record<string, TSchema>;

export type ResponseHeader = keyof typeof RESPONSE_HEADERS;

export function refer(names: readonly ResponseHeader[]): Record<string, { $ref: string }> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}
