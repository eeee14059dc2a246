/** The files that are meant by the paths of a command. */
import type { Dirent, Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, posix, resolve } from 'node:path';
import type { Api } from '@cryolift/client';
import { extensionOf } from '@cryolift/mrc';
import { type AskOptions, askAcceptedTypes } from './accepted-types.ts';
import { UsageError } from './exit.ts';

/** Where in a given folder a file lies, `/` between the steps. */
export interface InFolder {
  readonly folder: string;
  readonly path: string;
}

export interface Found {
  /** As the file is opened. */
  readonly path: string;
  /** Null for a file that was given itself. */
  readonly inFolder: InFolder | null;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly changedMs: number;
  readonly inode: number;
}

export interface Selection {
  /** Folders in folders, too. */
  readonly recursive?: boolean;
  /** Only files that one of these globs fits. */
  readonly include?: readonly string[];
  /** No files or folders that one of these fits. */
  readonly exclude?: readonly string[];
}

/** Something that lies there and is not sent; what was excluded, and what begins with a dot, is not worth a word. */
export interface LeftOut {
  readonly path: string;
  /** A type that the server does not accept, or a link to a folder: following it could go round in a circle. */
  readonly reason: 'type' | 'folder_link';
}

export interface Findings {
  readonly files: Found[];
  readonly leftOut: LeftOut[];
  /** Folders that cannot be read. */
  readonly failed: { path: string; error: unknown }[];
}

/**
 * A path to a file means that file, whatever its type. A folder means the regular files in it that the server accepts; a
 * link to a file is that file. Each is meant once, however often it is given.
 *
 * Globs are those of `path.matchesGlob`. One without a `/` is held against the name of a file or folder, wherever it is;
 * one with a `/` against its path from the given folder on.
 *
 * @throws UsageError when nothing is meant.
 */
export async function findFiles(
  paths: readonly string[],
  selection: Selection,
  api: Pick<Api, 'limits'>,
  asking: AskOptions = {},
): Promise<Findings> {
  const walk = new Walk(selection, api, asking);
  for (const path of paths) await walk.add(path);
  const { files, failed } = walk.findings;
  if (files.length + failed.length > 0) return walk.findings;
  throw new UsageError('there is no file in these folders that the server accepts and the globs leave over');
}

class Walk {
  readonly #selection: Selection;
  readonly #api: Pick<Api, 'limits'>;
  readonly #asking: AskOptions;
  readonly #seen = new Set<string>();
  #accepted: ReadonlySet<string> = new Set();
  readonly findings: Findings = { files: [], leftOut: [], failed: [] };

  constructor(selection: Selection, api: Pick<Api, 'limits'>, asking: AskOptions) {
    this.#selection = selection;
    this.#api = api;
    this.#asking = asking;
  }

  async add(path: string): Promise<void> {
    const stats = await look(path);
    if (!stats?.isDirectory()) return this.#take(path, null, stats);
    if (this.#accepted.size === 0) this.#accepted = await askAcceptedTypes(this.#api, this.#asking);
    await this.#walk(path, '');
  }

  /** @param below the given folder, the folder to list. */
  async #walk(folder: string, below: string): Promise<void> {
    const { recursive, include, exclude = [] } = this.#selection;
    for (const entry of await this.#list(join(folder, below))) {
      const inFolder: InFolder = { folder, path: posix.join(below, entry.name) };
      const path = join(folder, inFolder.path);
      if (entry.name.startsWith('.') || fits(inFolder.path, exclude)) continue;
      const stats = entry.isSymbolicLink() ? await look(path) : null;
      if (entry.isDirectory()) {
        if (recursive) await this.#walk(folder, inFolder.path);
      } else if (stats?.isDirectory()) {
        if (recursive) this.findings.leftOut.push({ path, reason: 'folder_link' });
      } else if ((entry.isFile() || entry.isSymbolicLink()) && (!include || fits(inFolder.path, include))) {
        if (this.#accepted.has(extensionOf(entry.name))) this.#take(path, inFolder, stats ?? (await look(path)));
        else this.findings.leftOut.push({ path, reason: 'type' });
      }
    }
  }

  async #list(folder: string): Promise<Dirent[]> {
    try {
      const entries = await readdir(folder, { withFileTypes: true });
      return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    } catch (error) {
      this.findings.failed.push({ path: folder, error });
      return [];
    }
  }

  /** What cannot be looked at fails when it is opened, with the reason. */
  #take(path: string, inFolder: InFolder | null, stats: Stats | null): void {
    const absolute = resolve(path);
    if (this.#seen.has(absolute)) return;
    this.#seen.add(absolute);
    const { size: sizeBytes = 0, mtimeMs: modifiedMs = 0, ctimeMs: changedMs = 0, ino: inode = 0 } = stats ?? {};
    this.findings.files.push({ path, inFolder, sizeBytes, modifiedMs, changedMs, inode });
  }
}

async function look(path: string): Promise<Stats | null> {
  return await stat(path).catch(() => null);
}

/** A glob without a `/` is held against the name, one with a `/` against the whole path. */
export function fits(path: string, globs: readonly string[]): boolean {
  return globs.some((glob) => posix.matchesGlob(glob.includes('/') ? path : posix.basename(path), glob));
}
