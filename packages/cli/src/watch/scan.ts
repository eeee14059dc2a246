/** What lies in a watched folder now. */
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { fits, type Selection } from '../find-files.ts';

/** A file as it is at one moment. */
export interface Stamp {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** Of the inode (`ctime`): some programs set the time of modification back. */
  readonly changedMs: number;
  readonly inode: number;
}

/** What programs call a file that they have not finished. */
const UNFINISHED = /downloading$|\.(tmp|part)$/i;

/**
 * Every file of the tree, by its path below the folder with `/` between the steps; links to files included, links to folders
 * not. Left out is what begins with a dot or has the name of an unfinished file.
 *
 * @returns null when the folder itself cannot be read: a share that is away has lost none of its files.
 */
export async function scan(folder: string, selection: Selection): Promise<Map<string, Stamp> | null> {
  const found = new Map<string, Stamp>();
  const { include, exclude = [] } = selection;

  const walk = async (below: string, entries: readonly Dirent[]): Promise<void> => {
    for (const entry of entries) {
      const path = posix.join(below, entry.name);
      if (entry.name.startsWith('.') || UNFINISHED.test(entry.name) || fits(path, exclude)) continue;
      if (entry.isDirectory()) {
        // It may have been removed since.
        const inside = await list(join(folder, path));
        if (inside) await walk(path, inside);
      } else if (!include || fits(path, include)) {
        const stamp = await look(join(folder, path));
        if (stamp) found.set(path, stamp);
      }
    }
  };
  const entries = await list(folder);
  if (!entries) return null;
  await walk('', entries);
  return found;
}

/** @returns null when there is no such file, or no regular one. */
export async function look(path: string): Promise<Stamp | null> {
  const stats = await stat(path).catch(() => null);
  if (!stats?.isFile()) return null;
  return { sizeBytes: stats.size, modifiedMs: stats.mtimeMs, changedMs: stats.ctimeMs, inode: stats.ino };
}

export function isSame(a: Stamp, b: Stamp): boolean {
  return (
    a.sizeBytes === b.sizeBytes && a.modifiedMs === b.modifiedMs && a.changedMs === b.changedMs && a.inode === b.inode
  );
}

async function list(folder: string): Promise<Dirent[] | null> {
  return await readdir(folder, { withFileTypes: true }).catch(() => null);
}
