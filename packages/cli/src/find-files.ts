/** The files that are meant by the paths of a command. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Api } from '@cryolift/client';
import { extensionOf } from '@cryolift/mrc';
import { UsageError } from './exit.ts';

/**
 * A path to a file means that file, whatever its type. A folder means the regular files directly in it that the server
 * accepts, without those whose names begin with a dot.
 *
 * @throws UsageError when nothing is meant.
 */
export async function findFiles(
  paths: readonly string[],
  api: Pick<Api, 'limits'>,
): Promise<{ files: string[]; skipped: string[] }> {
  const files: string[] = [];
  const skipped: string[] = [];
  let accepted: Set<string> | null = null;
  for (const path of paths) {
    const isFolder = (await stat(path).catch(() => null))?.isDirectory() ?? false;
    if (!isFolder) {
      files.push(path);
      continue;
    }
    accepted ??= await acceptedTypes(api);
    for (const name of await listFolder(path)) {
      (accepted.has(extensionOf(name)) ? files : skipped).push(join(path, name));
    }
  }
  if (files.length === 0) throw new UsageError('there is no file in these folders that the server accepts');
  return { files, skipped };
}

async function acceptedTypes(api: Pick<Api, 'limits'>): Promise<Set<string>> {
  const { mrc_types, accepted_types } = await api.limits();
  return new Set([...mrc_types, ...accepted_types]);
}

async function listFolder(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort();
}
