/** Files of the data folder that only the user of the server can read. */
import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { flush } from '../flush.ts';
import type { SecretStore } from '../secret-store.ts';

/**
 * Where a server without key settings keeps the secret of its tokens; the command line on the same machine reads it.
 */
export const SECRET_FILE = 'jwt-secret';

/** The data folder's own secret, made at the first start. */
export async function readOrMakeSecret(dataDir: string): Promise<string> {
  const path = join(dataDir, SECRET_FILE);
  const known = await readSecret(path);
  if (known !== null) return known;
  const fresh = await writeBeside(path, randomBytes(32).toString('base64url'));
  await link(fresh, path);
  await rm(fresh);
  await flush(dataDir);
  return (await readFile(path, 'utf8')).trim();
}

/** A secret of this server alone. */
export function openSecretFile(dataDir: string, name: string): SecretStore {
  const path = join(dataDir, name);
  return {
    read: () => readSecret(path),
    async replace(text) {
      await rename(await writeBeside(path, text), path);
      await flush(dirname(path));
      return true;
    },
  };
}

async function readSecret(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Written atomically: a secret truncated by a crash would refuse all tokens. */
async function writeBeside(path: string, text: string): Promise<string> {
  const fresh = `${path}.${process.pid}`;
  await rm(fresh, { force: true });
  await writeFile(fresh, `${text}\n`, { mode: 0o600, flush: true });
  return fresh;
}
