/** Compares a folder with the list of files of a receipt. */
import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { assertHarmlessName, hashPath } from '@cryolift/client/node';
import type { ReceiptFile } from '@cryolift/protocol/messages';
import { isMissing } from '../files/folder-entries.ts';

export type Compared =
  | { readonly state: 'identical' | 'missing' }
  | { readonly state: 'different'; readonly size: number; readonly sha256: string | null };

/** @throws the system's error for a file that cannot be read, and TargetError for a path that leaves the folder. */
export async function compareFile(folder: string, file: ReceiptFile, signal: AbortSignal): Promise<Compared> {
  for (const segment of file.path.split('/')) assertHarmlessName(segment);
  const path = join(folder, ...file.path.split('/'));
  const stats = await stat(path).catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw error;
  });
  if (!stats?.isFile()) return { state: 'missing' };
  // Files of different size need no hashing.
  if (stats.size !== file.size) return { state: 'different', size: stats.size, sha256: null };
  const sha256 = await hashPath(path, signal);
  return sha256 === file.sha256 ? { state: 'identical' } : { state: 'different', size: stats.size, sha256 };
}

/** The number of files of a folder that the receipt does not name. */
export async function countUnnamed(folder: string, files: readonly ReceiptFile[]): Promise<number> {
  const named = new Set(files.map(({ path }) => path));
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const isNamed = (path: string) => named.has(relative(folder, path).split(sep).join('/'));
  return entries.filter((entry) => entry.isFile() && !isNamed(join(entry.parentPath, entry.name))).length;
}
