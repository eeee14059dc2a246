/** Renames a finished file without replacing another file. */
import { randomBytes } from 'node:crypto';
import { link, lstat, open, rename, unlink } from 'node:fs/promises';
import { mayBeHeld, retryWhileHeld } from '../held-file.ts';

/** Error codes of file systems without hard links (exFAT, some network shares). EISDIR: Windows, for exFAT. */
const NO_LINKS: readonly unknown[] = [
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EXDEV',
  'EMLINK',
  'EINVAL',
  'EISDIR',
];

/** Error codes of folders that cannot be opened or flushed: on some file systems, or without read permission. */
const NO_SYNC: readonly unknown[] = ['EINVAL', 'ENOTSUP', 'ENOSYS', 'EISDIR', 'EPERM', 'EACCES'];

/** The part of the name that is kept in a temporary name, so that users can recognize the file. */
const SHOWN_BYTES = 100;

/**
 * Moves a file to an unused name in the same file system. Unlike rename(2), link(2) fails when the name exists.
 * Without hard links, an empty file is created exclusively to reserve the name, and is then replaced.
 * A file that another program holds for long may keep its old name, too.
 *
 * @returns false when the name exists; then nothing is changed.
 */
export async function placeNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') {
      // A network share may have created the link and lost the answer.
      if (!(await isOneFile(from, to))) return false;
    } else if (NO_LINKS.includes(code)) {
      return await placeWithoutLinks(from, to);
    } else {
      throw error;
    }
  }
  await retryWhileHeld(() => unlink(from)).catch((error) => {
    if (!mayBeHeld(error)) throw error;
  });
  return true;
}

/** `placeNew` without hard links: a kill between the two steps leaves an empty file. */
export async function placeWithoutLinks(from: string, to: string): Promise<boolean> {
  try {
    await (await open(to, 'wx')).close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  try {
    await retryWhileHeld(() => rename(from, to));
  } catch (error) {
    await removeEmpty(to).catch(() => {});
    throw error;
  }
  return true;
}

async function removeEmpty(path: string): Promise<void> {
  const { size } = await lstat(path);
  if (size === 0) await retryWhileHeld(() => unlink(path));
}

async function isOneFile(a: string, b: string): Promise<boolean> {
  const [one, other] = await Promise.all([lstat(a, { bigint: true }), lstat(b, { bigint: true })]);
  return one.nlink > 1n && one.ino === other.ino && one.dev === other.dev;
}

/** A unique hidden name for a temporary file next to a file of this name. It is never too long. */
export function temporaryName(name: string, ending: string): string {
  return `.${cutName(name, SHOWN_BYTES)}.${randomBytes(8).toString('hex')}.${ending}`;
}

/** @returns the beginning of the name, of at most `maxBytes` bytes in UTF-8; no character is split. */
export function cutName(name: string, maxBytes: number): string {
  const { read } = new TextEncoder().encodeInto(name, new Uint8Array(maxBytes));
  return name.slice(0, read);
}

/** Flushes a folder, so that a new name survives a power loss, where the file system supports this. */
export async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, 'r');
    await folder.sync().finally(() => folder.close());
  } catch (error) {
    if (!NO_SYNC.includes((error as NodeJS.ErrnoException).code)) throw error;
  }
}
