/** The current content of a watched folder. */
import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { SourceError } from '@cryolift/client';
import { fits, type Selection } from '../files/find-files.ts';
import { type Entry, examine, isMissing, listFolder } from '../files/folder-entries.ts';

/** A file as it is at one moment. */
export interface Stamp {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** Of the inode (`ctime`): some programs set the time of modification back. */
  readonly changedMs: number;
  readonly inode: number;
}

/** Something that cannot be sent, and that another scan may find as it should be. */
export interface Unusable {
  readonly error: unknown;
  readonly isFolder: boolean;
}

export type Scan =
  | {
      readonly kind: 'seen';
      readonly files: Map<string, Stamp>;
      /** What cannot be read or has a name that cannot be sent, by its path as a person can read it. */
      readonly unusable: Map<string, Unusable>;
    }
  /** The folder itself cannot be read: a share that is away has lost none of its files. */
  | { readonly kind: 'away'; readonly error: SourceError };

/** What programs call a file that they have not finished. */
const UNFINISHED = /downloading$|\.(tmp|part)$/i;

/**
 * Every file of the tree, by its path below the folder with `/` between the steps; links to files included, links to folders
 * not. Left out is what begins with a dot or has the name of an unfinished file.
 */
export async function scan(folder: string, selection: Selection): Promise<Scan> {
  const files = new Map<string, Stamp>();
  const unusable = new Map<string, Unusable>();
  const { include, exclude = [] } = selection;

  const walk = async (below: string, entries: readonly Entry[]): Promise<void> => {
    for (const entry of entries) {
      const path = posix.join(below, entry.name);
      if (entry.name.startsWith('.') || UNFINISHED.test(entry.name) || fits(path, exclude)) continue;
      if (!entry.isFolder && include && !fits(path, include)) continue;
      const examined = await examine(join(folder, below), entry);
      if (examined.kind === 'file') files.set(path, stampOf(examined.stats));
      else if (examined.kind === 'folder') await enter(path);
      else if (examined.kind === 'unusable') unusable.set(path, { error: examined.error, isFolder: entry.isFolder });
    }
  };
  const enter = async (path: string): Promise<void> => {
    try {
      await walk(path, await listFolder(join(folder, path)));
    } catch (error) {
      // It may have been removed since.
      if (!isMissing((error as Error).cause)) unusable.set(path, { error, isFolder: true });
    }
  };
  try {
    await walk('', await listFolder(folder));
  } catch (error) {
    return { kind: 'away', error: error as SourceError };
  }
  return { kind: 'seen', files, unusable };
}

/** @returns null when there is no such file, or no regular one. @throws the system's error when that cannot be said. */
export async function statFile(path: string): Promise<Stamp | null> {
  try {
    const stats = await stat(path);
    return stats.isFile() ? stampOf(stats) : null;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

export function isSame(a: Stamp, b: Stamp): boolean {
  return (
    a.sizeBytes === b.sizeBytes && a.modifiedMs === b.modifiedMs && a.changedMs === b.changedMs && a.inode === b.inode
  );
}

function stampOf({ size, mtimeMs, ctimeMs, ino }: Stats): Stamp {
  return { sizeBytes: size, modifiedMs: mtimeMs, changedMs: ctimeMs, inode: ino };
}
