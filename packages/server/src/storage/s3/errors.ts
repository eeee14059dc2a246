/** What a failure of an S3 call means for a client. The only place that gives a meaning to the codes of S3. */
import { UploadError } from '@cryolift/protocol/errors';
import { BytesGone } from '../errors.ts';

interface S3Failure {
  name?: string;
  /** Of the system or of Node, when there was no answer. */
  code?: string;
  $metadata?: { httpStatusCode?: number };
}

const ABSENT = new Set(['NoSuchKey', 'NoSuchUpload', 'NotFound']);
/** The service is asked too much: RFC 6585's 429 and S3's own names for it. */
const SLOW_DOWN = new Set(['SlowDown', 'Throttling', 'ThrottlingException', 'RequestLimitExceeded', 'TooManyRequests']);
const FULL = new Set(['XMinioStorageFull', 'QuotaExceeded', 'InsufficientStorage', 'StorageFull']);

function nameOf(error: unknown): string {
  const { name, code } = error as S3Failure;
  return code ?? name ?? 'unknown';
}

function statusOf(error: unknown): number | undefined {
  return (error as S3Failure).$metadata?.httpStatusCode;
}

/** There is no such object, or no such multipart upload. */
export function isAbsent(error: unknown): boolean {
  return ABSENT.has(nameOf(error));
}

export function isSlowDown(error: unknown): boolean {
  return SLOW_DOWN.has(nameOf(error)) || statusOf(error) === 429 || statusOf(error) === 503;
}

/** There is an object of that name already. */
export function isThere(error: unknown): boolean {
  return statusOf(error) === 412;
}

/** The service does not know the call, or a condition of it. */
export function isUnknownCall(error: unknown): boolean {
  return statusOf(error) === 501;
}

/** Another request is about to make the object. */
export function isConflict(error: unknown): boolean {
  return statusOf(error) === 409;
}

/** The connection was lost before the answer had come. */
export function hasNoAnswer(error: unknown): boolean {
  return statusOf(error) === undefined;
}

/** An answer that says that the request was not carried out; others, and none, leave that open. */
export function isRefusal(error: unknown): boolean {
  const status = statusOf(error);
  return status !== undefined && status >= 400 && status < 500;
}

/** A part is not what the request says of it: its ETag, its checksum or its size. */
export function isWrongPart(error: unknown): boolean {
  return ['InvalidPart', 'InvalidPartOrder', 'BadDigest', 'EntityTooSmall'].includes(nameOf(error));
}

/** @returns an UploadError for a failure of an S3 call; anything that is one already as it is. The cause goes into the log. */
export function explainS3(error: unknown): UploadError {
  if (error instanceof UploadError) return error;
  const name = nameOf(error);
  if (isAbsent(error))
    return new BytesGone(`The bytes are not in the storage (${name}).`, { cause: error, isAbsent: true });
  if (isSlowDown(error)) {
    const message = 'The object storage asks for fewer requests.';
    return new UploadError('overloaded', message, { cause: error, retryAfterSeconds: 2 });
  }
  if (FULL.has(name) || statusOf(error) === 507) {
    return new UploadError('insufficient_storage', 'The storage is full.', { cause: error });
  }
  return new UploadError('storage_unavailable', `The object storage does not answer as it should (${name}).`, {
    cause: error,
  });
}
