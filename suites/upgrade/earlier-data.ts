/** Data that an earlier version has made, and is in the repository: `main.ts` says what, and makes it. */
import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildHeader } from '@cryolift/mrc';

const DATA = fileURLToPath(new URL('data', import.meta.url));
export const OWNER = 'ada';
export const SECRET = 'only for tests: 32 bytes or more of it';
export const PART_BYTES = 64 * 1024;
export const PUBLISHED = 'published.mrc';
export const HALF = 'half.mrc';
/** Of half.mrc, of three parts. */
export const SENT_PARTS = [0, 2];

/** Commits. Of each, `sqlite.tar.gz` is a data folder, `postgres.sql` a database and `shared.tar.gz` its shared folder. */
export const VERSIONS = globSync('*', { cwd: DATA }).map((path) => basename(path));

/** The content of a file of three parts, the same each time. */
export function sampleOf(name: string): Buffer {
  const voxels = Buffer.alloc(2 * PART_BYTES + 1500 - 1024, name.length);
  for (let at = 0; at < voxels.length; at += 251) voxels[at] = at % 127;
  return Buffer.concat([buildHeader({ nx: voxels.length, ny: 1, nz: 1, mode: 0 }), voxels]);
}

export function pack(folder: string, archive: string): void {
  execFileSync('tar', [
    '-C',
    folder,
    '--exclude=*.lock',
    '--exclude=*.reserve',
    '--exclude=./audit',
    '-czf',
    archive,
    '.',
  ]);
}

/** For the user of the tests alone, as a server wants its folders. */
export function unpack(archive: string, folder: string): void {
  mkdirSync(folder, { mode: 0o700 });
  execFileSync('tar', ['-C', folder, '--no-same-owner', '-xzf', archive]);
}

export function pathOf(version: string, name: string): string {
  return join(DATA, version, name);
}
