/** Secrets and audit: what a server keeps in its data folder, or in the database that it shares with others. */
import { join } from 'node:path';
import { copyAudit } from '../backup.ts';
import type { Config } from '../config/config.ts';
import { openSecretFile } from '../config/secret.ts';
import type { Database } from '../db/database.ts';
import type { SecretStore } from '../secret-store.ts';
import { openSecret } from '../startup/secrets.ts';

/** Signs URLs; signs events. */
const SHARED = ['signing-keys', 'webhook-secret'];
/** Signs the tokens of a server without keys in its settings. Always in the data folder. */
const OWN = 'jwt-secret';

interface Side {
  readonly db: Database;
  readonly config: Config;
}

/** Safe to repeat. A secret of the source replaces one of the target, because clients hold what it has signed. */
export async function copySecrets(source: Side, target: Side): Promise<void> {
  for (const name of SHARED) {
    await copySecret(
      openSecret(source.db, source.config.dataDir, name),
      openSecret(target.db, target.config.dataDir, name),
    );
  }
  if (source.config.dataDir === target.config.dataDir) return;
  await copySecret(openSecretFile(source.config.dataDir, OWN), openSecretFile(target.config.dataDir, OWN));
  await copyAudit(join(source.config.dataDir, 'audit'), join(target.config.dataDir, 'audit'));
}

async function copySecret(source: SecretStore, target: SecretStore): Promise<void> {
  const secret = await source.read();
  const before = await target.read();
  if (secret !== null && secret !== before) await target.replace(secret, before);
}
