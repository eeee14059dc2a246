import { randomBytes } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where a server without key settings keeps the secret of its tokens; the command line on the same machine reads it. */
const SECRET_FILE = 'jwt-secret';

/** The data folder's own secret, made at the first start, readable by the server's user alone. */
export async function readOrMakeSecret(dataDir: string): Promise<string> {
  const path = join(dataDir, SECRET_FILE);
  const fresh = `${path}.${process.pid}`;
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  // Whole or not there: a secret that was cut off by a crash would lock everybody out.
  await writeFile(fresh, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flush: true });
  await link(fresh, path);
  await rm(fresh);
  return (await readFile(path, 'utf8')).trim();
}
