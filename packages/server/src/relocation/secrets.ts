/** Secrets and audit: what a server keeps in its data folder, or in the database that it shares with others. */
import { join } from 'node:path';
import { copyAudit } from '../backup.ts';
import type { Config } from '../config/config.ts';
import { openSecretFile, SECRET_FILE } from '../config/secret.ts';
import type { Database } from '../db/database.ts';
import { SHARED_SECRETS } from '../db/secrets.ts';
import type { SecretStore } from '../secret-store.ts';
import { openSecret } from '../startup/secrets.ts';

interface Side {
  readonly db: Database;
  readonly config: Config;
}

/** Safe to repeat. A secret of the source replaces one of the target, because clients hold what it has signed. */
export async function copySecrets(source: Side, target: Side): Promise<void> {
  for (const name of SHARED_SECRETS) {
    await copySecret(
      openSecret(source.db, source.config.dataDir, name),
      openSecret(target.db, target.config.dataDir, name),
    );
  }
  // That of tokens is always in the data folder.
  if (source.config.dataDir === target.config.dataDir) return;
  await copySecret(
    openSecretFile(source.config.dataDir, SECRET_FILE),
    openSecretFile(target.config.dataDir, SECRET_FILE),
  );
  await copyAudit(join(source.config.dataDir, 'audit'), join(target.config.dataDir, 'audit'));
}

async function copySecret(source: SecretStore, target: SecretStore): Promise<void> {
  const secret = await source.read();
  const before = await target.read();
  if (secret !== null && secret !== before) await target.replace(secret, before);
}
