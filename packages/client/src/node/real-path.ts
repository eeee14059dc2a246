/** Paths without symbolic links. */
import { realpath, stat } from 'node:fs/promises';
import { resolve } from 'node:path';

/**
 * The system's own path of a file or folder. On Windows the system has none for files on some drives and shares, and for
 * some paths of more than 260 characters; then it is the absolute path.
 *
 * @throws the system's error.
 */
export async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (process.platform !== 'win32') throw error;
    await stat(path);
    return resolve(path);
  }
}
