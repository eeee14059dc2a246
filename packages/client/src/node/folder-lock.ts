import { DatabaseSync } from 'node:sqlite';

/**
 * Takes a folder for this process alone: no two servers write into one, no two watchers watch one.
 *
 * The lock is SQLite's own file lock on an otherwise empty database: it dies with the process, however that ends, which
 * a PID file does not.
 *
 * @returns a function that gives the folder free, or null when another process has it.
 */
export function lockFolder(lockPath: string): (() => void) | null {
  const database = new DatabaseSync(lockPath);
  try {
    // No journal: nothing is written, so that a full disk can be locked, too.
    database.exec('PRAGMA busy_timeout=0; PRAGMA journal_mode=MEMORY; PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === 5) return null;
    throw error;
  }
  return () => database.close();
}
