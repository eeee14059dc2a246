/** Makes files and names in folders survive a power loss. */
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { durableStep } from './durable-step.ts';

/** Flushes the bytes of a file, or the names in a folder. */
export async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await durableStep('file.sync', () => handle.sync());
  } finally {
    await handle.close();
  }
}

/** Flushes a folder with all files and folders in it. */
export async function flushAll(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await flushAll(path);
    else if (entry.isFile()) await flush(path);
  }
  await flush(folder);
}
