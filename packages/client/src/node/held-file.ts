/**
 * Files that another program holds: Windows and the servers of SMB shares then refuse to open, rename, replace or delete
 * them (sharing violation), or to read a locked range of them. Virus scanners and indexers hold a new file for seconds.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { SourceError } from '../failures.ts';

/** Pauses between the attempts of a call: 10 s in all. */
const PAUSES_MS: readonly number[] = [50, 100, 200, 400, 800, 1200, 1500, 1750, 2000, 2000];

/** libuv: ERROR_SHARING_VIOLATION and ERROR_LOCK_VIOLATION. Linux: STATUS_SHARING_VIOLATION of an SMB share. */
const HELD = 'EBUSY';
/** Windows refuses these also without permission: a rename over an open file, the removal of a mapped one. */
const REFUSED: readonly unknown[] = ['EPERM', 'EACCES'];
const CHANGES: readonly unknown[] = ['rename', 'unlink', 'rmdir', 'rm'];
/** SQLite (result codes) cannot open a database or its journal, or cannot delete its journal. */
const SQLITE_REFUSED: readonly unknown[] = [10, 14];

/** True for the error of a call on a file that another program holds, and for the SourceError about it. */
export function isHeld(error: unknown): boolean {
  if (error instanceof SourceError) return error.code === 'source_in_use';
  const { code, syscall } = error as NodeJS.ErrnoException;
  // The file is open: only a lock refuses to read it (Linux: STATUS_FILE_LOCK_CONFLICT of an SMB share).
  return code === HELD || (code === 'EACCES' && syscall === 'read');
}

/** True for an error that another program may have caused, or a missing permission. */
export function mayBeHeld(error: unknown, platform: NodeJS.Platform = process.platform): boolean {
  if (isHeld(error)) return true;
  if (platform !== 'win32') return false;
  const { code, syscall, errcode } = error as NodeJS.ErrnoException & { errcode?: number };
  if (code === 'ERR_SQLITE_ERROR') return SQLITE_REFUSED.includes((errcode ?? 0) & 0xff);
  return REFUSED.includes(code) && CHANGES.includes(syscall);
}

/**
 * Runs `work`, and again while it fails because another program may hold a file, for 10 s at most.
 *
 * @param work has no effect when it fails, or can be repeated.
 * @throws the last error of `work`; the signal's reason.
 */
export async function retryWhileHeld<Result>(work: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
  for (const pauseMs of PAUSES_MS) {
    try {
      return await work();
    } catch (error) {
      if (!mayBeHeld(error)) throw error;
    }
    await sleep(pauseMs, undefined, { signal }).catch(() => {});
    signal?.throwIfAborted();
  }
  return await work();
}

/** Tries once to open a file for reading. @returns true when another program holds it; any other failure is false. */
export async function isHeldNow(path: string): Promise<boolean> {
  try {
    await (await open(path, constants.O_RDONLY | constants.O_NONBLOCK)).close();
    return false;
  } catch (error) {
    return isHeld(error);
  }
}
