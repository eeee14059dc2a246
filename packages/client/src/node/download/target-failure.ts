/** Error messages for targets that cannot be written. */
import { dirname, resolve } from 'node:path';
import { TargetError, type TargetFault } from '../../failures.ts';
import { mayBeHeld } from '../held-file.ts';

const GO_ON = 'Then run the same command again to resume.';
const ELSEWHERE = 'Give another folder or name (-o).';

/** By the system's error code: the error code of the SDK, the end of a sentence about the folder, and the hint. */
const FAILURES: Readonly<Record<string, readonly [fault: TargetFault, what: string, hint: string]>> = {
  ENOENT: ['target_unwritable', 'does not exist', 'Create it, or give another folder (-o).'],
  ENOTDIR: ['target_unwritable', 'is not a folder', ELSEWHERE],
  EACCES: ['target_unwritable', 'cannot be written to: permission denied', ELSEWHERE],
  EPERM: ['target_unwritable', 'cannot be written to: permission denied', ELSEWHERE],
  EROFS: ['target_unwritable', 'cannot be written to: its file system is read-only', ELSEWHERE],
  ENOSPC: ['disk_full', 'has no space left', `Free space. ${GO_ON}`],
  EDQUOT: ['disk_full', 'has no space left: the disk quota is used up', `Free space. ${GO_ON}`],
  EFBIG: ['target_unwritable', 'is on a file system that does not support files of this size', ELSEWHERE],
  EIO: ['target_unwritable', 'cannot be written to: its storage reports an error (EIO)', ELSEWHERE],
  ELOOP: ['target_unwritable', 'cannot be reached: its path has too many symbolic links', ELSEWHERE],
};

/** @returns a TargetError for an error of the file system, and any other error unchanged. */
export function toTargetError(error: unknown, path: string): unknown {
  const { code, syscall, path: failed, dest } = error as NodeJS.ErrnoException & { dest?: string };
  if (!(error instanceof Error) || syscall === undefined || code === undefined) return error;
  if (mayBeHeld(error)) return toInUseError(dest ?? failed ?? path, error);
  const [fault, what, hint] = FAILURES[code] ?? ['target_unwritable', `cannot be written to (${code})`, ELSEWHERE];
  const parent = dirname(path);
  const folder = parent === '.' ? resolve(parent) : parent;
  return new TargetError(fault, `The folder ${folder} ${what}.`, hint, { cause: error });
}

/** @param cause an error for which `mayBeHeld` is true. */
export function toInUseError(path: string, cause: unknown): TargetError {
  const { code } = cause as NodeJS.ErrnoException;
  const why =
    code === 'EBUSY' ? 'another program has it open' : 'another program has it open, or permission is missing';
  return new TargetError(
    'target_in_use',
    `${path} cannot be written, replaced or removed: ${why} (${code}).`,
    `Close it in that program. ${GO_ON}`,
    { cause },
  );
}

/** @param error the error of creating a file of this name. */
export function toNameError(error: unknown, path: string, name: string): unknown {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (code !== 'ENOENT' && code !== 'ENOTDIR' && code in FAILURES) return toTargetError(error, path);
  const why = code === 'ENAMETOOLONG' ? `it is too long (${new TextEncoder().encode(name).length} bytes)` : code;
  return new TargetError(
    'name_not_possible',
    `This name is not possible here: ${why}: ${name}`,
    'Give another name (-o NAME).',
    { cause: error },
  );
}

export function fileExists(path: string, hint: string): TargetError {
  return new TargetError('file_exists', `${path} already exists`, hint);
}
