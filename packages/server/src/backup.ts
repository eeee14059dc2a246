/** What cannot be made again, into a folder that a server can be started on once the files are copied, too. */
import { randomBytes } from 'node:crypto';
import { chmod, copyFile, mkdir, open, readdir, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type Config, readConfig } from './config/config.ts';
import { SettingError } from './config/setting-error.ts';
import { copyDatabase, hasDatabase } from './db/sqlite/backup.ts';
import { flush, flushAll } from './flush.ts';

export { SettingError } from './config/setting-error.ts';

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
 * Copies database, keys and audit, while the server runs or not. What fails leaves no backup in `target`, and nothing in
 * the folders of the server.
 *
 * @param env and `flags` as the server was started with. @param target a folder without a backup.
 * @throws SettingError, also when there is no database where the settings say; NodeJS.ErrnoException `EEXIST` when there is
 *   a backup in `target`, or one under way, and others of the file system.
 */
export async function backUp(
  env: Readonly<Record<string, string | undefined>>,
  flags: Readonly<Record<string, string | undefined>>,
  target: string,
): Promise<Backup> {
  const config = readConfig(env, flags);
  const databasePath = pathOf(config);
  await assertServer(config, databasePath);
  const isNew = (await mkdir(target, { recursive: true, mode: 0o700 })) !== undefined;
  await chmod(target, 0o700);
  const copyPath = join(target, 'cryolift.sqlite');
  // An empty one holds the place: it is taken by one backup alone, and a database that is there is a whole one.
  await (await open(copyPath, 'wx', 0o600)).close();
  try {
    return await copyAll(config, databasePath, target, copyPath);
  } catch (error) {
    await rm(copyPath, { force: true });
    if (isNew) await rmdir(target).catch(() => {});
    throw error;
  }
}

/** @throws SettingError when the database is no file: PostgreSQL has programs of its own that copy it. */
function pathOf({ database }: Config): string {
  if (database.kind === 'sqlite') return database.path;
  throw new SettingError('CRYOLIFT_DATABASE_URL: back PostgreSQL up with pg_dump or a base backup');
}

/** @throws SettingError when the settings are not those of a server that has been started once. */
async function assertServer({ dataDir }: Config, databasePath: string): Promise<void> {
  const say = (what: string) => new SettingError(`${what}: give the --data-dir and the settings of the server`);
  for (const path of [dataDir, databasePath]) {
    await stat(path).catch(({ code }: NodeJS.ErrnoException) => {
      throw say(code === 'ENOENT' ? `there is no ${path}` : `${path} cannot be read (${code})`);
    });
  }
  if (!hasDatabase(databasePath)) throw say(`${databasePath} is no database of a server`);
}

async function copyAll({ dataDir, storageDir }: Config, databasePath: string, target: string, copyPath: string) {
  const draftPath = `${copyPath}.${randomBytes(4).toString('hex')}`;
  try {
    const files = await copyDatabase(databasePath, draftPath);
    await copyKeys(dataDir, target, basename(databasePath));
    const listPath = join(target, 'files.txt');
    await writeFile(listPath, files.map(({ id, filename }) => `files/${id}/${filename}\n`).join(''), { mode: 0o600 });
    // Whoever is told that the backup is made finds it after a power loss.
    await flushAll(target);
    await rename(draftPath, copyPath);
    await flush(target);
    await flush(dirname(resolve(target)));
    return {
      databaseBytes: (await stat(copyPath)).size,
      files: files.length,
      fileBytes: files.reduce((sum, { size }) => sum + size, 0),
      storageDir,
      listPath,
    };
  } finally {
    await rm(draftPath, { force: true });
  }
}

/** Every file beside the database: secrets, and what later versions keep there; and the audit. */
async function copyKeys(dataDir: string, target: string, databaseName: string): Promise<void> {
  for (const entry of await readdir(dataDir, { withFileTypes: true })) {
    const isOurs = entry.isFile() && !entry.name.startsWith('cryolift.') && !entry.name.startsWith(databaseName);
    if (!isOurs) continue;
    await copyFile(join(dataDir, entry.name), join(target, entry.name));
    await chmod(join(target, entry.name), 0o600);
  }
  await copyAudit(join(dataDir, 'audit'), join(target, 'audit'));
}

/** A server that runs removes what is too old meanwhile: that alone may be missing. */
async function copyAudit(from: string, to: string): Promise<void> {
  const names = (await readdir(from).catch(ignoreAbsence)) ?? [];
  if (names.length === 0) return;
  await mkdir(to, { recursive: true, mode: 0o700 });
  for (const name of names) await copyFile(join(from, name), join(to, name)).catch(ignoreAbsence);
}

function ignoreAbsence(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}
