/** The current content of a watched folder. */
import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { SourceError } from '@cryolift/client';
import { fits, type Selection } from '../files/find-files.ts';
import { type Entry, examine, isMissing, listFolder } from '../files/folder-entries.ts';

/** Properties of a file at one moment. */
export interface Stamp {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** Change time of the inode (`ctime`), because some programs set the modification time back. */
  readonly changedMs: number;
  readonly inode: number;
}

/** An entry that cannot be sent now; a later scan may find it readable. */
export interface Unusable {
  readonly error: unknown;
  readonly isFolder: boolean;
}

export type Scan =
  | {
      readonly kind: 'readable';
      readonly files: Map<string, Stamp>;
      /** Entries that cannot be read, or whose names cannot be sent, by printable path. */
      readonly unusable: Map<string, Unusable>;
    }
  /** The folder cannot be read. This does not mean that its files were removed. */
  | { readonly kind: 'away'; readonly error: SourceError };

/** Extensions of files that programs have not finished. */
const UNFINISHED = /downloading$|\.(tmp|part)$/i;

/**
 * Every file of the tree, by its path below the folder with `/` as separator, including links to files but not links to
 * folders. Hidden files and unfinished files are skipped.
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
      // It may have been removed meanwhile.
      if (!isMissing((error as Error).cause)) unusable.set(path, { error, isFolder: true });
    }
  };
  try {
    await walk('', await listFolder(folder));
  } catch (error) {
    return { kind: 'away', error: error as SourceError };
  }
  return { kind: 'readable', files, unusable };
}

/** @returns null when no regular file exists at this path. @throws every other error of stat(). */
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
