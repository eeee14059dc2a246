/** Where secrets that the server makes are kept: in its data folder, or in the database that it shares with others. */
import { openSecretFile } from '../config/secret.ts';
import type { Database } from '../db/database.ts';
import { dialectOf } from '../db/dialect.ts';
import { openSecretRow } from '../db/secrets.ts';
import type { SecretStore } from '../secret-store.ts';
import { explainCode, explainFailure, explainReadCode } from '../storage/errors.ts';

export function openSecret(db: Database, dataDir: string, name: string): SecretStore {
  return dialectOf(db).isShared ? openSecretRow(db, name) : explained(openSecretFile(dataDir, name));
}

/** A secret file that requests use: a failing disk is `storage_unavailable`. */
function explained({ read, replace }: SecretStore): SecretStore {
  const fail = (explain: typeof explainCode) => (error: unknown) => {
    throw explainFailure(error, explain);
  };
  return {
    read: () => read().catch(fail(explainReadCode)),
    replace: (text, before) => replace(text, before).catch(fail(explainCode)),
  };
}
