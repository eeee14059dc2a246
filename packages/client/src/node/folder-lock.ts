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
