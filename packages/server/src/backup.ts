/** Copies database, keys and audit into a folder. A server can start on it after the files were copied, too. */
import { randomBytes } from 'node:crypto';
import { chmod, copyFile, mkdir, open, readdir, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type Config, readConfig } from './config/config.ts';
import { SettingError } from './config/setting-error.ts';
import { copyDatabase, hasDatabase } from './db/sqlite/backup.ts';
import { durableStep } from './durable-step.ts';
import { flush, flushAll } from './flush.ts';

export { SettingError } from './config/setting-error.ts';

export interface Backup {
  readonly databaseBytes: number;
  /** Published files, which are still to be copied. */
  readonly files: number;
  readonly fileBytes: number;
  /** Where they are: `files/ID/NAME` below this folder, or `s3://BUCKET/PREFIX`. */
  readonly storageDir: string;
  readonly isBucket: boolean;
  /** Their paths below the storage folder, one a line. */
  readonly listPath: string;
}

/**
 * Copies database, keys and audit, while the server runs or not. A failure leaves no backup in `target` and no files in
 * the folders of the server.
 *
 * @param env and `flags` as the server was started with. @param target a folder without a backup.
 * @throws SettingError, also when the database in the settings does not exist; NodeJS.ErrnoException `EEXIST` when
 * there is   a backup in `target`, or one under way, and others of the file system.
 */
export async function backUp(
  env: Readonly<Record<string, string | undefined>>,
  flags: Readonly<Record<string, string | undefined>>,
  target: string,
): Promise<Backup> {
  const config = readConfig(env, flags);
  const databasePath = pathOf(config);
  await assertServer(config);
  const made = await durableStep('backup.make-folder', () => mkdir(target, { recursive: true, mode: 0o700 }));
  await durableStep('backup.set-folder-mode', () => chmod(target, 0o700));
  const copyPath = join(target, 'cryolift.sqlite');
  // An empty file reserves the name, so that only one backup uses the folder, and an existing database is complete.
  await (await durableStep('backup.reserve-name', () => open(copyPath, 'wx', 0o600))).close();
  try {
    return await copyAll(config, databasePath, target, copyPath);
  } catch (error) {
    await durableStep('backup.free-name', () => rm(copyPath, { force: true }));
    if (made !== undefined) await durableStep('backup.remove-folder', () => rmdir(target)).catch(() => {});
    throw error;
  }
}

/** @throws SettingError when the database is no file: PostgreSQL has programs of its own that copy it. */
function pathOf({ database }: Config): string {
  if (database.kind === 'sqlite') return database.path;
  throw new SettingError('CRYOLIFT_DATABASE_URL: back PostgreSQL up with pg_dump or a base backup');
}

/** @throws SettingError when no server was ever started with these settings, as far as its folders show it. */
export async function assertServer({ dataDir, database }: Config): Promise<void> {
  const say = (what: string) => new SettingError(`${what}: give the --data-dir and the settings of the server`);
  const databasePath = database.kind === 'sqlite' ? database.path : null;
  for (const path of databasePath === null ? [dataDir] : [dataDir, databasePath]) {
    await stat(path).catch(({ code }: NodeJS.ErrnoException) => {
      throw say(code === 'ENOENT' ? `${path} does not exist` : `${path} cannot be read (${code})`);
    });
  }
  if (databasePath !== null && !hasDatabase(databasePath))
    throw say(`${databasePath} is not a database of a Cryolift server`);
}

async function copyAll({ dataDir, storage }: Config, databasePath: string, target: string, copyPath: string) {
  const draftPath = `${copyPath}.${randomBytes(4).toString('hex')}`;
  try {
    const files = await copyDatabase(databasePath, draftPath);
    await copyKeys(dataDir, target, basename(databasePath));
    const listPath = join(target, 'files.txt');
    const list = files.map(({ id, filename }) => `files/${id}/${filename}\n`).join('');
    await durableStep('backup.write-list', () => writeFile(listPath, list, { mode: 0o600 }));
    // A reported backup survives a power loss.
    await flushAll(target);
    await durableStep('backup.rename', () => rename(draftPath, copyPath));
    await flush(target);
    await flush(dirname(resolve(target)));
    return {
      databaseBytes: (await stat(copyPath)).size,
      files: files.length,
      fileBytes: files.reduce((sum, { size }) => sum + size, 0),
      storageDir: storage.kind === 's3' ? `s3://${storage.bucket}/${storage.prefix}` : storage.folder,
      isBucket: storage.kind === 's3',
      listPath,
    };
  } finally {
    await durableStep('backup.remove-draft', () => rm(draftPath, { force: true }));
  }
}

/** Every file beside the database: secrets, files of later versions, and the audit. */
async function copyKeys(dataDir: string, target: string, databaseName: string): Promise<void> {
  for (const entry of await readdir(dataDir, { withFileTypes: true })) {
    const isOurs = entry.isFile() && !entry.name.startsWith('cryolift.') && !entry.name.startsWith(databaseName);
    if (!isOurs) continue;
    const copyPath = join(target, entry.name);
    await durableStep('backup.copy-secret', () => copyFile(join(dataDir, entry.name), copyPath));
    await durableStep('backup.set-mode', () => chmod(copyPath, 0o600));
  }
  await copyAudit(join(dataDir, 'audit'), join(target, 'audit'));
}

/** A running server may remove old files of the audit meanwhile. No other file may be missing. */
export async function copyAudit(from: string, to: string): Promise<void> {
  const names = (await readdir(from).catch(ignoreAbsence)) ?? [];
  if (names.length === 0) return;
  await durableStep('backup.make-audit-folder', () => mkdir(to, { recursive: true, mode: 0o700 }));
  for (const name of names) {
    await durableStep('backup.copy-audit', () => copyFile(join(from, name), join(to, name))).catch(ignoreAbsence);
  }
}

function ignoreAbsence(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}
