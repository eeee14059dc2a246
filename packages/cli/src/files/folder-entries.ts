/** Lists the entries of a folder: the files that can be sent, and the reason for each that cannot. */
import type { Dirent, Stats } from 'node:fs';
import { lstat, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { assertRegular, toSourceError } from '@cryolift/client/node';
import { Refusal } from '../process/exit.ts';

export interface Entry {
  /** The name, with `\xFF` for each byte that is not UTF-8. */
  readonly name: string;
  /** False: it cannot be opened by this name. */
  readonly isUtf8: boolean;
  readonly isFolder: boolean;
  readonly isLink: boolean;
}

export type Examined =
  | { readonly kind: 'file'; readonly stats: Stats }
  | { readonly kind: 'folder' }
  /** Following it could lead to a cycle. */
  | { readonly kind: 'folder_link' }
  /** It was removed after the folder was listed. */
  | { readonly kind: 'gone'; readonly error: unknown }
  | { readonly kind: 'unusable'; readonly error: unknown };

/** Sorted by name. @throws SourceError when the folder cannot be read, with the system's error as its cause. */
export async function listFolder(folder: string): Promise<Entry[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true, encoding: 'buffer' });
    return entries.map(toEntry).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    throw toSourceError(error, 'folder');
  }
}

/** Throws nothing. */
export async function examine(folder: string, { name, isUtf8, isFolder, isLink }: Entry): Promise<Examined> {
  if (!isUtf8) return { kind: 'unusable', error: notUtf8() };
  if (isFolder) return { kind: 'folder' };
  const path = join(folder, name);
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) return { kind: isLink ? 'folder_link' : 'folder' };
    assertRegular(stats);
    return { kind: 'file', stats };
  } catch (cause) {
    const error = toSourceError(cause);
    const isGone = isMissing(cause) && (await lstat(path).then(() => false, isMissing));
    return { kind: isGone ? 'gone' : 'unusable', error };
  }
}

/** True when the path does not exist. */
export function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** True when permission to read is missing. */
export function isDenied(error: unknown): boolean {
  return ['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/** The error for a name that cannot be sent: the server stores names as text. */
export function notUtf8(): Refusal {
  return new Refusal(
    'invalid_filename',
    'the name is not UTF-8, so the server cannot store it',
    'Rename it; `convmv -f latin1 -t utf8` renames whole folders.',
  );
}

function toEntry(entry: Dirent<Buffer>): Entry {
  const text = entry.name.toString();
  const isUtf8 = Buffer.from(text).equals(entry.name);
  const name = isUtf8 ? text : escapeBytes(entry.name);
  return { name, isUtf8, isFolder: entry.isDirectory(), isLink: entry.isSymbolicLink() };
}

/** Latin-1 has one character for each byte. */
function escapeBytes(name: Buffer): string {
  return name.toString('latin1').replace(/[^\x20-\x7e]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}
