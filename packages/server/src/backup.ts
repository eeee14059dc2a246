/** What cannot be made again, into a folder that a server can be started on once the files are copied, too. */
import { chmod, copyFile, cp, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { readConfig } from './config.ts';
import { copyDatabase } from './db/backup.ts';
import { flush, flushAll } from './flush.ts';

export interface Backup {
  readonly databaseBytes: number;
  /** Published files, which are still to be copied. */
  readonly files: number;
  readonly fileBytes: number;
  /** Where they are: `files/ID/NAME` below this folder. */
  readonly storageDir: string;
  /** Their paths below the storage folder, one a line. */
  readonly listPath: string;
}

/**
 * Copies database, keys and audit, while the server runs or not.
 *
 * @param env and `flags` as the server was started with. @param target a folder without a backup.
 * @throws SettingError; NodeJS.ErrnoException `EEXIST` when there is a backup in `target`, and others of the file system.
 */
export async function backUp(
  env: Readonly<Record<string, string | undefined>>,
  flags: Readonly<Record<string, string | undefined>>,
  target: string,
): Promise<Backup> {
  const { dataDir, databasePath, storageDir } = readConfig(env, flags);
  await mkdir(target, { recursive: true, mode: 0o700 });
  await chmod(target, 0o700);
  const copyPath = join(target, 'cryolift.sqlite');
  const files = await copyDatabase(databasePath, copyPath);
  await copyKeys(dataDir, target, basename(databasePath));
  const listPath = join(target, 'files.txt');
  await writeFile(listPath, files.map(({ id, filename }) => `files/${id}/${filename}\n`).join(''), { mode: 0o600 });
  // Whoever is told that the backup is made finds it after a power loss.
  await flushAll(target);
  await flush(dirname(resolve(target)));
  return {
    databaseBytes: (await stat(copyPath)).size,
    files: files.length,
    fileBytes: files.reduce((sum, { size }) => sum + size, 0),
    storageDir,
    listPath,
  };
}

/** Every file beside the database: secrets, and what later versions keep there; and the audit. */
async function copyKeys(dataDir: string, target: string, databaseName: string): Promise<void> {
  for (const entry of await readdir(dataDir, { withFileTypes: true })) {
    const isOurs = entry.isFile() && !entry.name.startsWith('cryolift.') && !entry.name.startsWith(databaseName);
    if (!isOurs) continue;
    await copyFile(join(dataDir, entry.name), join(target, entry.name));
    await chmod(join(target, entry.name), 0o600);
  }
  await cp(join(dataDir, 'audit'), join(target, 'audit'), { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}
