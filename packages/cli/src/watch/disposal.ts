/** Moves or deletes a local file that is on the server, after its bytes were read again and match. */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, lstat, mkdir, open, readdir, rename, rm, rmdir, stat, unlink, utimes } from 'node:fs/promises';
import { basename, dirname, join, parse } from 'node:path';
import { cutName, hashPath, isHeld, naming, placeNew, retryWhileHeld, temporaryName } from '@cryolift/client/node';
import { hasInode } from '../upload/folder-journal.ts';
import { isSame, type Stamp, statFile } from './scan.ts';

/** Longest name to which a suffix is added: names have at most 255 bytes. */
const SHOWN_BYTES = 200;
/** Name of the folder that holds a file while it is removed. */
const TAKING = /^\.cryolift-[0-9a-f]{16}\.gone$/;

export type Disposal = { readonly kind: 'delete' } | { readonly kind: 'move'; readonly to: string };

export type Disposed =
  | { readonly kind: 'deleted' }
  | { readonly kind: 'moved'; readonly to: string }
  /** Reason as text. Only with `again`, a later attempt may succeed although the file is unchanged. */
  | { readonly kind: 'kept'; readonly why: string; readonly again?: true };

/**
 * @param path relative to `folder`; kept when the file is moved.
 * @param stamp properties of the file when it was uploaded.
 * @param sha256 SHA-256 of the whole file on the server, hex.
 * @throws the system's errors, and the signal's reason.
 */
export async function dispose(
  disposal: Disposal,
  folder: string,
  path: string,
  stamp: Stamp,
  sha256: string,
  signal: AbortSignal,
): Promise<Disposed> {
  try {
    return await moveOrDelete(disposal, folder, path, stamp, sha256, signal);
  } catch (error) {
    if (!isHeld(error)) throw error;
    return { kind: 'kept', why: 'another program has it open', again: true };
  }
}

async function moveOrDelete(
  disposal: Disposal,
  folder: string,
  path: string,
  stamp: Stamp,
  sha256: string,
  signal: AbortSignal,
): Promise<Disposed> {
  const from = join(folder, path);
  if ((await lstat(from)).isSymbolicLink()) return { kind: 'kept', why: 'it is a symbolic link' };
  const local = await hashPath(from, signal);
  const now = await statFile(from);
  if (!now || !isSame(now, stamp)) return CHANGED;
  if (local !== sha256) return { kind: 'kept', why: 'its bytes differ from those on the server' };
  await assertNotHeld(from, signal);
  if (disposal.kind === 'delete') return describe(await remove(from, stamp), { kind: 'deleted' });
  const to = join(disposal.to, path);
  await mkdir(dirname(to), { recursive: true });
  const brought = await naming(to, () => bring(from, to, sha256));
  if (!brought) return { kind: 'kept', why: `${to} already exists` };
  await syncName(to);
  const removal = await remove(from, stamp).catch(async (error) => {
    if (brought === 'new') await unlink(to).catch(() => {});
    throw error;
  });
  // The file is unchanged since its upload, and the server has it.
  if (removal.kind !== 'removed' && brought === 'new') await unlink(to);
  return describe(removal, { kind: 'moved', to });
}

/**
 * Renames the file to its own name. This changes nothing and fails when another program holds the file: then nothing has
 * been begun. @throws the system's error; the signal's reason.
 */
async function assertNotHeld(path: string, signal: AbortSignal): Promise<void> {
  await retryWhileHeld(() => rename(path, path), signal).catch((error) => {
    if (isHeld(error) || signal.aborted) throw error;
  });
}

const CHANGED: Disposed = { kind: 'kept', why: 'it was changed after the upload' };

function describe(removal: Removal, done: Disposed): Disposed {
  if (removal.kind === 'removed') return done;
  if (removal.kind === 'changed') return CHANGED;
  return {
    kind: 'kept',
    why: `it was changed after the upload, and another file has its name now: it is ${removal.aside}`,
  };
}

/** `new`: moved by this run. `there`: moved by an earlier run that was killed before it removed the original. */
type Brought = 'new' | 'there';

/** Never replaces a file. @returns null when another file exists there. */
async function bring(from: string, to: string, sha256: string): Promise<Brought | null> {
  try {
    // Unlike a rename, a link fails when the target exists.
    await link(from, to);
    return 'new';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Another file system, or a file system without links.
    if (code !== 'EEXIST' && (await copy(from, to, sha256))) return 'new';
    return (await isThere(from, to, sha256)) ? 'there' : null;
  }
}

/** True for the file itself or a complete copy. A symbolic link is neither: it may point to the original. */
async function isThere(from: string, to: string, sha256: string): Promise<boolean> {
  const [a, b] = [await stat(from), await lstat(to).catch(() => null)];
  if (!b?.isFile()) return false;
  if (a.ino === b.ino && a.dev === b.dev && hasInode(a.ino)) return true;
  if (a.size !== b.size || (await hashPath(to)) !== sha256) return false;
  await syncFile(to);
  return true;
}

async function copy(from: string, to: string, sha256: string): Promise<boolean> {
  const draft = join(dirname(to), temporaryName(basename(to), 'part'));
  try {
    await retryWhileHeld(() => copyFile(from, draft, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL));
    await syncFile(draft);
    if ((await hashPath(draft)) !== sha256) return false;
    const { mtimeMs } = await stat(from);
    await utimes(draft, new Date(), mtimeMs / 1000);
    return await placeNew(draft, to);
  } finally {
    await retryWhileHeld(() => rm(draft, { force: true }));
  }
}

type Removal =
  | { readonly kind: 'removed' }
  /** The file has changed and is at its path. */
  | { readonly kind: 'changed' }
  /** The file has changed and is now called `aside`, because another file is at its path. */
  | { readonly kind: 'aside'; readonly aside: string };

/**
 * Moves the file first into a folder next to it, so that a new file at its path is not affected.
 * `giveBackTaken` restores the file when the process is killed before the end.
 */
async function remove(path: string, stamp: Stamp): Promise<Removal> {
  const taking = join(dirname(path), `.cryolift-${randomBytes(8).toString('hex')}.gone`);
  await mkdir(taking, 0o700);
  try {
    const aside = join(taking, basename(path));
    await retryWhileHeld(() => rename(path, aside));
    const taken = await statFile(aside).catch(() => null);
    const { sizeBytes, modifiedMs, inode } = stamp;
    if (taken && taken.sizeBytes === sizeBytes && taken.modifiedMs === modifiedMs && taken.inode === inode) {
      await unlinkTaken(aside, path);
      return { kind: 'removed' };
    }
    return await giveBack(aside, path);
  } finally {
    // The folder is not empty when the file could not be restored.
    await rmdir(taking).catch(() => {});
  }
}

/** A virus scanner may open the file under its new name. Then it is given back. @throws the system's error. */
async function unlinkTaken(aside: string, path: string): Promise<void> {
  try {
    await retryWhileHeld(() => unlink(aside));
  } catch (error) {
    await giveBack(aside, path).catch(() => {});
    throw error;
  }
}

/**
 * Restores the files that killed runs have moved away, in this folder and its subfolders.
 *
 * @returns their paths. Files that cannot be read or restored stay where they are.
 */
export async function giveBackTaken(folder: string): Promise<string[]> {
  const given: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    if (!entry.isDirectory()) continue;
    const path = join(folder, entry.name);
    if (!TAKING.test(entry.name)) {
      // Hidden files are not watched.
      if (!entry.name.startsWith('.')) for (const each of await giveBackTaken(path)) given.push(each);
      continue;
    }
    for (const name of await readdir(path).catch(() => [])) {
      const place = join(folder, name);
      const removal = await giveBack(join(path, name), place).catch(() => null);
      if (removal) given.push(removal.kind === 'aside' ? removal.aside : place);
    }
    await rmdir(path).catch(() => {});
  }
  return given;
}

/** @param aside where the file was moved. */
export async function giveBack(aside: string, path: string): Promise<Exclude<Removal, { kind: 'removed' }>> {
  return (await placeNew(aside, path)) ? { kind: 'changed' } : { kind: 'aside', aside: await showBeside(aside, path) };
}

/** Gives a file a name that is not hidden, so that the watch finds it. @returns the name. */
async function showBeside(aside: string, path: string): Promise<string> {
  const { dir, name, ext } = parse(path);
  for (let count = 1; ; count++) {
    const shown = join(dir, `${cutName(name, SHOWN_BYTES)} (changed ${count})${ext}`);
    if (await placeNew(aside, shown)) return shown;
  }
}

async function syncFile(path: string): Promise<void> {
  const handle = await retryWhileHeld(() => open(path, 'r+'));
  await handle.sync().finally(() => handle.close());
}

/** Flushes a name of a file. Windows cannot flush a folder; there, a flush of the file includes its names. */
async function syncName(path: string): Promise<void> {
  if (process.platform === 'win32') return await syncFile(path);
  const folder = await open(dirname(path), 'r');
  await folder.sync().finally(() => folder.close());
}
