/** Files of the data folder that only the user of the server can read. */
import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { durableStep } from '../durable-step.ts';
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
  const secret = randomBytes(32).toString('base64url');
  await writeSecret(path, secret);
  return secret;
}

/** A secret of this server alone. */
export function openSecretFile(dataDir: string, name: string): SecretStore {
  const path = join(dataDir, name);
  return {
    read: () => readSecret(path),
    async replace(text) {
      await writeSecret(path, text);
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

/**
 * Written atomically: a secret truncated by a crash would refuse all tokens. The caller holds the lock of the folder, so that
 * nobody else writes the draft; the next secret overwrites what a crash leaves of it.
 */
async function writeSecret(path: string, text: string): Promise<void> {
  const draft = `${path}.new`;
  // Its mode is only set when it is made.
  await durableStep('secret.remove-old-draft', () => rm(draft, { force: true }));
  await durableStep('secret.write', () => writeFile(draft, `${text}\n`, { mode: 0o600, flush: true }));
  await durableStep('secret.rename', () => rename(draft, path));
  await flush(dirname(path));
}
