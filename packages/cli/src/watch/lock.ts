/** One watcher to a folder. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * The lock is SQLite's own file lock on an empty database: it dies with the process, which a file with its number does not.
 *
 * @returns a function that gives it free, or null when another process has it.
 */
export async function lock(path: string): Promise<(() => void) | null> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA busy_timeout=0; PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE');
    return () => database.close();
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === 5) return null;
    throw error;
  }
}
