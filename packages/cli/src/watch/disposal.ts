/** What becomes of a local file that is on the server: only after its bytes were read again and found to be those. */
import { constants } from 'node:fs';
import { copyFile, link, lstat, mkdir, open, rename, rm, stat, unlink, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { hashPath, naming, placeNew, temporaryName } from '@cryolift/client/node';
import { isTelling } from '../folder-memory.ts';
import { isSame, look, type Stamp } from './scan.ts';

export type Disposal = { readonly kind: 'delete' } | { readonly kind: 'move'; readonly to: string };

export type Disposed =
  | { readonly kind: 'deleted' }
  | { readonly kind: 'moved'; readonly to: string }
  /** In words. */
  | { readonly kind: 'kept'; readonly why: string };

/**
 * @param path below `folder`; kept below the folder that it is moved to.
 * @param stamp the file as it was when it went up.
 * @param sha256 of the whole file, as the server has it, hex.
 */
export async function dispose(
  disposal: Disposal,
  folder: string,
  path: string,
  stamp: Stamp,
  sha256: string,
  signal: AbortSignal,
): Promise<Disposed> {
  const from = join(folder, path);
  if ((await lstat(from)).isSymbolicLink()) return { kind: 'kept', why: 'it is a link' };
  const local = await hashPath(from, signal);
  const now = await look(from);
  if (!now || !isSame(now, stamp)) return CHANGED;
  if (local !== sha256) return { kind: 'kept', why: 'its bytes are not those that the server has' };
  if (disposal.kind === 'delete') return (await remove(from, stamp)) ? { kind: 'deleted' } : CHANGED;
  const to = join(disposal.to, path);
  await mkdir(dirname(to), { recursive: true });
  if (!(await naming(to, () => bring(from, to, sha256)))) return { kind: 'kept', why: `${to} is there already` };
  await syncFolder(dirname(to));
  if (await remove(from, stamp)) return { kind: 'moved', to };
  await unlink(to);
  return CHANGED;
}

const CHANGED: Disposed = { kind: 'kept', why: 'it was changed after it went up' };

/** Never replaces what is there. @returns false when something else is. */
async function bring(from: string, to: string, sha256: string): Promise<boolean> {
  try {
    // Unlike a rename, a link fails where something is.
    await link(from, to);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return await isOneFile(from, to);
    // Another file system, or one without links.
    return await copy(from, to, sha256);
  }
}

/** A run before this one died between the two steps. */
async function isOneFile(from: string, to: string): Promise<boolean> {
  const [a, b] = [await stat(from), await stat(to)];
  return a.ino === b.ino && a.dev === b.dev && isTelling(a.ino);
}

async function copy(from: string, to: string, sha256: string): Promise<boolean> {
  if (await look(to)) return false;
  const draft = join(dirname(to), temporaryName(basename(to), 'part'));
  try {
    await copyFile(from, draft, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
    const handle = await open(draft, 'r+');
    await handle.sync().finally(() => handle.close());
    if ((await hashPath(draft)) !== sha256) return false;
    const { mtimeMs } = await stat(from);
    await utimes(draft, new Date(), mtimeMs / 1000);
    return await placeNew(draft, to);
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * Takes the file out of its place first: what an instrument puts there meanwhile is not touched.
 *
 * @returns false when it is not the file of the stamp any more; it is in its place then.
 */
async function remove(path: string, stamp: Stamp): Promise<boolean> {
  const aside = join(dirname(path), temporaryName(basename(path), 'gone'));
  await rename(path, aside);
  const taken = await look(aside).catch(() => null);
  const { sizeBytes, modifiedMs, inode } = stamp;
  if (taken && taken.sizeBytes === sizeBytes && taken.modifiedMs === modifiedMs && taken.inode === inode) {
    await unlink(aside);
    return true;
  }
  await rename(aside, path);
  return false;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  await folder.sync().finally(() => folder.close());
}
