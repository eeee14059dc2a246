/** What becomes of a local file that is on the server: only after its bytes were read again and found to be those. */
import { constants } from 'node:fs';
import { copyFile, link, mkdir, open, rename, rm, unlink, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { hashPath } from '@cryolift/client/node';
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
  const local = await hashPath(from, signal);
  const now = await look(from);
  if (!now || !isSame(now, stamp)) return { kind: 'kept', why: 'it was changed after it went up' };
  if (local !== sha256) return { kind: 'kept', why: 'its bytes are not those that the server has' };
  if (disposal.kind === 'delete') {
    await unlink(from);
    return { kind: 'deleted' };
  }
  const to = join(disposal.to, path);
  await mkdir(dirname(to), { recursive: true });
  return (await move(from, to, sha256)) ? { kind: 'moved', to } : { kind: 'kept', why: `${to} is there already` };
}

/** Never replaces what is there. @returns false when something is. */
async function move(from: string, to: string, sha256: string): Promise<boolean> {
  try {
    // Unlike a rename, a link fails where something is.
    await link(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    // Another file system, or one without links.
    if (!(await copy(from, to, sha256))) return false;
  }
  await syncFolder(dirname(to));
  await unlink(from);
  return true;
}

async function copy(from: string, to: string, sha256: string): Promise<boolean> {
  if (await look(to)) return false;
  const draft = join(dirname(to), `.${basename(to)}.${process.pid}.part`);
  try {
    await copyFile(from, draft, constants.COPYFILE_FICLONE);
    const handle = await open(draft, 'r+');
    await handle.sync().finally(() => handle.close());
    if ((await hashPath(draft)) !== sha256) throw new Error('its copy came out with other bytes');
    const stamp = await look(from);
    if (stamp) await utimes(draft, new Date(), stamp.modifiedMs / 1000);
    await rename(draft, to);
    return true;
  } finally {
    await rm(draft, { force: true });
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  await folder.sync().finally(() => folder.close());
}
