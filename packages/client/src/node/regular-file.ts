/** Opens regular local files for reading, without waiting for other programs. */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { SourceError } from '../failures.ts';
import { isHeld, retryWhileHeld } from './held-file.ts';
import { describeSystemError } from './system-error.ts';

/** Another process may have a lease of the file, which it must release within 45 s (fcntl(2), F_SETLEASE). */
const LEASE_MS = 60_000;
const LEASE_POLL_MS = 100;

export interface RegularFile {
  readonly handle: FileHandle;
  readonly stats: Stats;
}

/**
 * Opens a file to read it, also one that another program holds for some seconds. Symbolic links are followed. Other kinds are not opened: opening a device can change it.
 * Uses O_NONBLOCK, because the path may have become a named pipe after the check.
 *
 * @throws SourceError `source_unreadable` or `source_in_use`; the signal's reason. Close the handle after use.
 */
export async function openRegularFile(path: string, signal?: AbortSignal): Promise<RegularFile> {
  let handle: FileHandle | null = null;
  try {
    assertRegular(await stat(path));
    handle = await retryWhileHeld(() => openWithoutWaiting(path), signal);
    const stats = await handle.stat();
    assertRegular(stats);
    return { handle, stats };
  } catch (cause) {
    await handle?.close();
    signal?.throwIfAborted();
    throw toSourceError(cause);
  }
}

/** @throws SourceError with the actual kind of the file. */
export function assertRegular(stats: Stats): void {
  if (!stats.isFile()) throw unreadable(`it is ${kindOf(stats)}, not a regular file`);
}

/** @returns the SourceError for a failed call on a file or a folder. */
export function toSourceError(cause: unknown, what: 'file' | 'folder' = 'file'): SourceError {
  if (cause instanceof SourceError) return cause;
  return isHeld(cause) ? inUse(cause, what) : unreadable(describeSystemError(cause), cause, what);
}

async function openWithoutWaiting(path: string): Promise<FileHandle> {
  for (const deadlineMs = performance.now() + LEASE_MS; ; await sleep(LEASE_POLL_MS)) {
    try {
      return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || performance.now() > deadlineMs) throw error;
    }
  }
}

function inUse(cause: unknown, what: string): SourceError {
  const hint = 'Close it in that program, or wait until the program is done with it. Then run the command again.';
  return new SourceError('source_in_use', `Another program has the ${what} open.`, hint, { cause });
}

function unreadable(reason: string, cause?: unknown, what = 'file'): SourceError {
  const hint = 'Check its path and permissions.';
  return new SourceError('source_unreadable', `The ${what} cannot be read: ${reason}.`, hint, { cause });
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFIFO()) return 'a named pipe';
  if (stats.isSocket()) return 'a socket';
  return stats.isCharacterDevice() || stats.isBlockDevice() ? 'a device' : 'something else';
}
