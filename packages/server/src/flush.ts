/** Makes files and names in folders survive a power loss. */
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** A file's bytes; or of a folder, what was named, renamed or removed in it. */
export async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A folder with all files and folders in it. */
export async function flushAll(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await flushAll(path);
    else if (entry.isFile()) await flush(path);
  }
  await flush(folder);
}
