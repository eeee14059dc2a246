/** Finds the files for the paths of a command. */
import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, join, posix, resolve } from 'node:path';
import type { Api } from '@cryolift/client';
import { extensionOf } from '@cryolift/mrc';
import { isAcceptedType } from '@cryolift/protocol/accepted-types';
import { UsageError } from '../process/exit.ts';
import { type AskOptions, askAcceptedTypes } from './accepted-types.ts';
import { type Entry, examine, isMissing, listFolder, notUtf8 } from './folder-entries.ts';

/** The path within the given folder, with `/` as separator. */
export interface InFolder {
  readonly folder: string;
  readonly path: string;
}

export interface Found {
  /** The path for opening the file. */
  readonly path: string;
  /** Null for a file that was given by its own path. */
  readonly inFolder: InFolder | null;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly changedMs: number;
  readonly inode: number;
}

export interface Selection {
  /** Includes subfolders. */
  readonly recursive?: boolean;
  /** Only files that match one of these globs. */
  readonly include?: readonly string[];
  /** Skips files and folders that match one of these globs. */
  readonly exclude?: readonly string[];
}

/** An entry that is not uploaded. Excluded and hidden entries are not listed. */
export interface LeftOut {
  readonly path: string;
  /**
   * A type that the server does not accept, a folder in a folder that is not `recursive`, or a link to a folder, which
   * could lead to a cycle.
   */
  readonly reason: 'type' | 'folder' | 'folder_link';
}

export interface Findings {
  readonly files: Found[];
  readonly leftOut: LeftOut[];
  /** Entries that cannot be read, or whose names cannot be sent. */
  readonly failed: { path: string; error: unknown }[];
}

/**
 * A path to a file selects that file, of any type. A folder selects the regular files in it that the server accepts,
 * including links to files. A file that is given several times is selected once.
 *
 * Globs are those of `path.matchesGlob`. One without a `/` is matched against the name of a file or folder at any
 * depth; one with a `/` against its path below the given folder.
 *
 * @throws UsageError when no file is selected; the signal's reason.
 */
export async function findFiles(
  paths: readonly string[],
  selection: Selection,
  api: Pick<Api, 'limits'>,
  asking: AskOptions = {},
): Promise<Findings> {
  const walk = new Walk(selection, api, asking);
  for (const path of paths) await walk.add(path);
  const { files, failed, leftOut } = walk.findings;
  if (files.length + failed.length > 0) return walk.findings;
  throw new UsageError(`nothing to upload: ${explainNothing(leftOut, selection.recursive ?? false)}`);
}

function explainNothing(leftOut: readonly LeftOut[], recursive: boolean): string {
  const wrong = leftOut.filter(({ reason }) => reason === 'type');
  const types = [...new Set(wrong.map(({ path }) => extensionOf(basename(path)) || 'none'))].sort();
  if (types.length === 0) return `no file matches${recursive ? '' : '; -r includes subfolders'}`;
  return `the server does not accept the types of the files there (${types.join(' ')})`;
}

class Walk {
  readonly #selection: Selection;
  readonly #api: Pick<Api, 'limits'>;
  readonly #asking: AskOptions;
  readonly #found = new Set<string>();
  #accepted: ReadonlySet<string> = new Set();
  readonly findings: Findings = { files: [], leftOut: [], failed: [] };

  constructor(selection: Selection, api: Pick<Api, 'limits'>, asking: AskOptions) {
    this.#selection = selection;
    this.#api = api;
    this.#asking = asking;
  }

  async add(path: string): Promise<void> {
    const stats = await lookAt(path);
    if (stats === 'not_utf8') {
      this.findings.failed.push({ path, error: notUtf8() });
      return;
    }
    if (!stats?.isDirectory()) return this.#take(path, null, stats);
    if (this.#accepted.size === 0) this.#accepted = await askAcceptedTypes(this.#api, this.#asking);
    await this.#walk(path, '');
  }

  /** @param below the given folder, the folder to list. */
  async #walk(folder: string, below: string): Promise<void> {
    for (const entry of await this.#list(join(folder, below))) {
      this.#asking.signal?.throwIfAborted();
      const inFolder: InFolder = { folder, path: posix.join(below, entry.name) };
      if (!entry.name.startsWith('.') && !fits(inFolder.path, this.#selection.exclude ?? [])) {
        await this.#consider(entry, inFolder, below);
      }
    }
  }

  async #consider(entry: Entry, inFolder: InFolder, below: string): Promise<void> {
    const { recursive, include } = this.#selection;
    const { leftOut, failed } = this.findings;
    const { folder } = inFolder;
    const path = join(folder, inFolder.path);
    if (entry.isFolder && !recursive) {
      leftOut.push({ path, reason: 'folder' });
      return;
    }
    const examined = await examine(join(folder, below), entry);
    if (examined.kind === 'folder') {
      if (recursive) await this.#walk(folder, inFolder.path);
    } else if (examined.kind === 'folder_link') {
      if (recursive) leftOut.push({ path, reason: 'folder_link' });
    } else if (entry.isFolder && examined.kind !== 'file') {
      failed.push({ path, error: examined.error });
    } else if (!include || fits(inFolder.path, include)) {
      if (!isAcceptedType(this.#accepted, extensionOf(entry.name))) leftOut.push({ path, reason: 'type' });
      else if (examined.kind === 'file') this.#take(path, inFolder, examined.stats);
      else failed.push({ path, error: examined.error });
    }
  }

  async #list(folder: string): Promise<Entry[]> {
    try {
      return await listFolder(folder);
    } catch (error) {
      this.findings.failed.push({ path: folder, error });
      return [];
    }
  }

  /** A file without permission for stat() fails later, when it is opened. */
  #take(path: string, inFolder: InFolder | null, stats: Stats | null): void {
    const absolute = resolve(path);
    if (this.#found.has(absolute)) return;
    this.#found.add(absolute);
    const { size: sizeBytes = 0, mtimeMs: modifiedMs = 0, ctimeMs: changedMs = 0, ino: inode = 0 } = stats ?? {};
    this.findings.files.push({ path, inFolder, sizeBytes, modifiedMs, changedMs, inode });
  }
}

/** Node replaces bytes that are not UTF-8 in an argument with U+FFFD, so the path is unknown. */
async function lookAt(path: string): Promise<Stats | 'not_utf8' | null> {
  return await stat(path).catch((error) => (isMissing(error) && path.includes('\ufffd') ? 'not_utf8' : null));
}

/** A glob without a `/` is matched against the name, one with a `/` against the whole path. */
export function fits(path: string, globs: readonly string[]): boolean {
  return globs.some((glob) => posix.matchesGlob(glob.includes('/') ? path : posix.basename(path), glob));
}
