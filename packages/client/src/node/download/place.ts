/** Gives a finished file its name, without replacing a file of another program. */
import { randomBytes } from 'node:crypto';
import { link, lstat, open, rename, unlink } from 'node:fs/promises';

/** What file systems without hard links answer (exFAT, some network shares). */
const NO_LINKS: readonly unknown[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV', 'EMLINK', 'EINVAL'];

/** What is answered where a folder cannot be opened or flushed: by some file systems, and by one that may not be read. */
const NO_SYNC: readonly unknown[] = ['EINVAL', 'ENOTSUP', 'ENOSYS', 'EISDIR', 'EPERM', 'EACCES'];

/** The part of the name that is kept in a temporary name, so that users can tell what it belongs to. */
const SHOWN_BYTES = 100;

/**
 * Moves a file to a name in the same file system that nothing has yet. Unlike rename(2), link(2) fails where something is.
 * Where there are no hard links, an empty file that is created exclusively keeps the name, and is then replaced.
 *
 * @returns false when something else has the name; then nothing is changed.
 */
export async function placeNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') {
      // A network share may have made the link, and have lost the answer.
      if (!(await isOneFile(from, to))) return false;
    } else if (NO_LINKS.includes(code)) {
      return await placeWithoutLinks(from, to);
    } else {
      throw error;
    }
  }
  await unlink(from);
  return true;
}

/** As `placeNew`, where there are no hard links: a kill between the two steps leaves an empty file. */
export async function placeWithoutLinks(from: string, to: string): Promise<boolean> {
  try {
    await (await open(to, 'wx')).close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  await rename(from, to);
  return true;
}

async function isOneFile(a: string, b: string): Promise<boolean> {
  const [one, other] = await Promise.all([lstat(a, { bigint: true }), lstat(b, { bigint: true })]);
  return one.nlink > 1n && one.ino === other.ino && one.dev === other.dev;
}

/** A name for a temporary file beside one of this name, of its own and hidden. It fits, however long the name is. */
export function temporaryName(name: string, ending: string): string {
  return `.${cutName(name, SHOWN_BYTES)}.${randomBytes(8).toString('hex')}.${ending}`;
}

/** @returns the beginning of the name, of at most so many bytes in UTF-8; no character is cut. */
export function cutName(name: string, maxBytes: number): string {
  const { read } = new TextEncoder().encodeInto(name, new Uint8Array(maxBytes));
  return name.slice(0, read);
}

/** Makes a new name in a folder survive a power loss, where the file system can. */
export async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, 'r');
    await folder.sync().finally(() => folder.close());
  } catch (error) {
    if (!NO_SYNC.includes((error as NodeJS.ErrnoException).code)) throw error;
  }
}
