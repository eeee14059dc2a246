/** Maps failures of the file system to errors for clients. Only this file interprets the system's codes. */
import { UploadError } from '@cryolift/protocol/errors';

/** The bytes of an upload or a file are not in the storage; not a temporary read error. */
export class BytesGone extends UploadError {
  /** True: the name does not exist. False: it has another kind of entry. */
  readonly isAbsent: boolean;

  constructor(message: string, options: { cause?: unknown; isAbsent?: boolean } = {}) {
    super('storage_unavailable', message, options);
    this.isAbsent = options.isAbsent ?? false;
  }
}

/** Stored bytes are not those that were stored. */
export class BytesDamaged extends BytesGone {}

/** The system's own codes: `EIO`, but not `ERR_INVALID_ARG_TYPE`. */
const SYSTEM_CODE = /^E[A-Z0-9]+$/;

/**
 * `insufficient_storage` when there is no space, BytesGone when the bytes are missing, otherwise
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
 * For a call that only reads: it is never `insufficient_storage`, with any code of the file system.
 */
export function explainReadCode(code: string, cause?: unknown): UploadError {
  const failure = explainCode(code, cause);
  if (failure.code !== 'insufficient_storage') return failure;
  return new UploadError('storage_unavailable', `The storage cannot be read (${code}).`, cause ? { cause } : {});
}

/** An error of the system as an UploadError; any other error unchanged, because it is a bug. */
export function explainFailure(error: unknown, explain = explainCode): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (error instanceof UploadError || code === undefined || !SYSTEM_CODE.test(code)) return error;
  return explain(code, error);
}
