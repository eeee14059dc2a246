import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/**
 * Takes a folder for this process alone: only one server writes into it, only one watcher watches it.
 *
 * The lock is SQLite's own file lock on an otherwise empty database: unlike a PID file, it ends with the
 * process in every case.
 *
 * @returns a function that releases the folder, or null when another process has it.
 */
export function lockFolder(lockPath: string): (() => void) | null {
  const database = new DatabaseSync(lockPath);
  try {
    // Without a journal nothing is written, so that this works on a full disk.
    database.exec('PRAGMA busy_timeout=0; PRAGMA journal_mode=MEMORY; PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === 5) return null;
    throw error;
  }
  return () => database.close();
}

/**
 * Whether a process holds this lock. It needs to read the file only, and takes no lock that others would have to wait
 * for longer than a moment.
 *
 * @throws the system's error when the file cannot be read.
 */
export function isFolderLocked(lockPath: string): boolean {
  if (!existsSync(lockPath)) return false;
  const database = new DatabaseSync(lockPath, { readOnly: true });
  try {
    database.exec('PRAGMA busy_timeout=0');
    database.prepare('SELECT count(*) FROM sqlite_schema').get();
    return false;
  } catch (error) {
    if ((error as { errcode?: number }).errcode === 5) return true;
    throw error;
  } finally {
    database.close();
  }
}
