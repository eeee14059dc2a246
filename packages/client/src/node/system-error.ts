/** Errors of the operating system as text. */

/** By their code (errno of POSIX). */
const FILE_ERRORS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EBUSY: 'another program has it open',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'it already exists',
  EFBIG: 'the file is too large for this file system or for its limit',
  EIO: 'its storage reports an error',
  EISDIR: 'it is a folder',
  ELOOP: 'its symbolic links form a cycle',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'the name is too long for this file system',
  ENFILE: 'too many files are open on this machine',
  ENODEV: 'its device does not exist',
  ENOENT: 'no such file or folder',
  ENOSPC: 'no space is left on the disk',
  ENOTDIR: 'a part of the path is not a folder',
  ENOTEMPTY: 'the folder is not empty',
  ENXIO: 'its device does not exist',
  EPERM: 'the operation is not permitted',
  EROFS: 'the file system is read-only',
  ESTALE: 'the file server no longer knows it (stale handle)',
  ETIMEDOUT: 'its storage does not answer',
  EXDEV: 'it is on another file system',
};

/** True for an error of a system call, which names the call and a code. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException & { code: string } {
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string';
}

/**
 * Runs `work`; an error of the system in it names this path. A failed write has no path in its error, and an
 * error of a temporary file has the path of that.
 */
export async function naming<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (isSystemError(error)) Object.assign(error, { path, dest: undefined });
    throw error;
  }
}

/** The meaning of a failed call on a file or a folder: `permission denied (EACCES)`. */
export function describeSystemError(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const words = FILE_ERRORS[code ?? ''];
  if (words === undefined) return code === undefined ? message : `the system reports ${code}`;
  return code === 'ENOENT' ? words : `${words} (${code})`;
}
