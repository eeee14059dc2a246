/** A consistent copy of the database file, taken while it is in use. */
import { open } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { durableStep } from '../../durable-step.ts';

export interface CopiedFile {
  readonly id: string;
  readonly filename: string;
  readonly size: number;
}

/** SQLite's code for a file that is no database. */
const NOTADB = 26;

/** @returns true for a database of Cryolift. @throws the error of SQLite when it cannot be read. */
export function hasDatabase(path: string): boolean {
  let db: DatabaseSync | null = null;
  try {
    db = openExisting(path);
    return db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'uploads'").get() !== undefined;
  } catch (error) {
    if ((error as { errcode?: number }).errcode === NOTADB) return false;
    throw error;
  } finally {
    db?.close();
  }
}

/**
 * Copies the database at `path`, which a server may have open, to `target`, which must not exist.
 *
 * @returns the published files in the copy.
 */
export async function copyDatabase(path: string, target: string): Promise<CopiedFile[]> {
  // Created here with a private mode; SQLite accepts an empty file.
  await (await open(target, 'wx', 0o600)).close();
  const source = openExisting(path);
  try {
    // One read transaction: unlike a copy by pages, it does not start again after each write.
    durableStep('backup.copy-database', () => source.prepare('VACUUM INTO ?').run(target));
  } finally {
    source.close();
  }
  const copy = new DatabaseSync(target);
  try {
    // The bytes of open uploads are not copied. A server that starts on this copy verifies them again.
    durableStep('backup.forget-boot', () => copy.exec("DELETE FROM facts WHERE name = 'boot_id'"));
    const files = copy.prepare('SELECT id, filename, size FROM files WHERE deleted_at IS NULL ORDER BY id').all();
    return files as unknown as CopiedFile[];
  } finally {
    copy.close();
    const handle = await open(target, 'r+');
    await durableStep('backup.sync-database', () => handle.sync());
    await handle.close();
  }
}

/** Unlike the plain path, `mode=rw` does not create a file. */
function openExisting(path: string): DatabaseSync {
  const url = pathToFileURL(path);
  url.searchParams.set('mode', 'rw');
  const db = new DatabaseSync(url);
  db.exec('PRAGMA busy_timeout=5000');
  return db;
}
