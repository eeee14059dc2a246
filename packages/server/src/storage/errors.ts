/** What a failure of the file system means for a client. The only place that gives a meaning to the system's codes. */
import { UploadError } from '@cryolift/protocol/errors';

/** The bytes of an upload or a file are not in the storage; not a passing failure to read them. */
export class BytesGone extends UploadError {
  /** There is nothing of that name. Otherwise something is in its place that cannot be what was stored. */
  readonly isAbsent: boolean;

  constructor(message: string, options: { cause?: unknown; isAbsent?: boolean } = {}) {
    super('storage_unavailable', message, options);
    this.isAbsent = options.isAbsent ?? false;
  }
}

/** The system's own codes: `EIO`, but not `ERR_INVALID_ARG_TYPE`. */
const SYSTEM_CODE = /^E[A-Z0-9]+$/;

/**
 * `insufficient_storage` when there is no space, BytesGone when what was asked for is not there, else
 * `storage_unavailable`. The cause goes into the log.
 *
 * @param cause omitted: the code comes from another thread, where the error was.
 */
export function explainCode(code: string, cause?: unknown): UploadError {
  const options = cause === undefined ? {} : { cause };
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new UploadError('insufficient_storage', 'The storage is full.', options);
    case 'ENOENT':
      return new BytesGone('The bytes are not in the storage.', { ...options, isAbsent: true });
    case 'ENOTDIR':
    case 'ENODATA':
      return new BytesGone(`The bytes are not in the storage (${code}).`, options);
    default:
      return new UploadError('storage_unavailable', `The storage does not answer (${code}).`, options);
  }
}

/**
 * Of a call that only reads: the space of the disk is no matter of the client's, whatever code the file system gives, so
 * that it is never `insufficient_storage`.
 */
export function explainReadCode(code: string, cause?: unknown): UploadError {
  const failure = explainCode(code, cause);
  if (failure.code !== 'insufficient_storage') return failure;
  return new UploadError('storage_unavailable', `The storage cannot be read (${code}).`, cause ? { cause } : {});
}

/** An error of the system as an UploadError; any other as it is, because it is a mistake of ours. */
export function explainFailure(error: unknown, explain = explainCode): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (error instanceof UploadError || code === undefined || !SYSTEM_CODE.test(code)) return error;
  return explain(code, error);
}
