/** A copy of the database file that is as it was at one moment, while others write. */
import { open } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';

export interface CopiedFile {
  readonly id: string;
  readonly filename: string;
  readonly size: number;
}

/**
 * Copies the database at `path`, which a server may have open, to `target`, which must not be there.
 *
 * @returns the published files that the copy knows.
 */
export async function copyDatabase(path: string, target: string): Promise<CopiedFile[]> {
  // Made here, so that nobody else may read it at any time; SQLite takes an empty file.
  await (await open(target, 'wx', 0o600)).close();
  const source = new DatabaseSync(path);
  try {
    source.exec('PRAGMA busy_timeout=5000');
    // One read of all: unlike a copy page by page, it is not begun again whenever somebody writes.
    source.prepare('VACUUM INTO ?').run(target);
  } finally {
    source.close();
  }
  const copy = new DatabaseSync(target);
  try {
    // The bytes of open sessions are not copied: whoever starts on this copy verifies them again.
    copy.exec("DELETE FROM facts WHERE name = 'boot_id'");
    const files = copy.prepare('SELECT id, filename, size FROM files WHERE deleted_at IS NULL ORDER BY id').all();
    return files as unknown as CopiedFile[];
  } finally {
    copy.close();
    const handle = await open(target, 'r+');
    await handle.sync();
    await handle.close();
  }
}
