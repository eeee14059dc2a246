/** What the system says about a place where a file cannot be stored, in sentences. */
import { dirname, resolve } from 'node:path';
import { TargetError, type TargetFault } from '../../failures.ts';

const GO_ON = 'Run the same command again after that: it goes on from there.';
const ELSEWHERE = 'Give another folder or name (-o).';

/** By the system's error code: the fault, the end of a sentence that begins with the folder, and the hint. */
const FAILURES: Readonly<Record<string, readonly [fault: TargetFault, what: string, hint: string]>> = {
  ENOENT: ['target_unwritable', 'does not exist', 'Create it, or give another folder (-o).'],
  ENOTDIR: ['target_unwritable', 'is not a folder', ELSEWHERE],
  EACCES: ['target_unwritable', 'cannot be written to: permission denied', ELSEWHERE],
  EPERM: ['target_unwritable', 'cannot be written to: permission denied', ELSEWHERE],
  EROFS: ['target_unwritable', 'cannot be written to: its file system is read-only', ELSEWHERE],
  ENOSPC: ['disk_full', 'has no space left', `Free some space. ${GO_ON}`],
  EDQUOT: ['disk_full', 'has no space left: the disk quota is used up', `Free some space. ${GO_ON}`],
  EFBIG: ['target_unwritable', 'is in a file system that cannot have a file of this size', ELSEWHERE],
  EIO: ['target_unwritable', 'cannot be written to: its storage reports an error (EIO)', ELSEWHERE],
  ELOOP: ['target_unwritable', 'cannot be reached: there are too many links on the way to it', ELSEWHERE],
};

/** @returns a TargetError for an error of the file system, and any other error as it is. */
export function toTargetError(error: unknown, path: string): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (!(error instanceof Error) || syscall === undefined || code === undefined) return error;
  const [fault, what, hint] = FAILURES[code] ?? ['target_unwritable', `cannot be written to (${code})`, ELSEWHERE];
  const parent = dirname(path);
  const folder = parent === '.' ? resolve(parent) : parent;
  return new TargetError(fault, `The folder ${folder} ${what}.`, hint, { cause: error });
}

/** @param error what the attempt to create a file of this name has thrown. */
export function toNameError(error: unknown, path: string, name: string): unknown {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (code !== 'ENOENT' && code !== 'ENOTDIR' && code in FAILURES) return toTargetError(error, path);
  const why = code === 'ENAMETOOLONG' ? `it is too long (${new TextEncoder().encode(name).length} bytes)` : code;
  return new TargetError(
    'name_not_possible',
    `A file cannot have this name here: ${why}: ${name}`,
    'Give another name (-o NAME).',
    { cause: error },
  );
}

export function fileExists(path: string, hint: string): TargetError {
  return new TargetError('file_exists', `${path} already exists`, hint);
}
