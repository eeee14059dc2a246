import type { Kysely } from 'kysely';
import { dialectOf } from './dialect.ts';
import type { Tables } from './tables.ts';

/** Of a transaction that others are in the way of. */
const MAX_ATTEMPTS = 5;

export type Database = Kysely<Tables>;

/** Throws when the transaction must not be committed. */
export type Guard = (tx: Database) => Promise<void>;

/** @throws UploadError `database_unavailable` when it does not answer, or takes no writes. */
export async function pingDatabase(db: Database): Promise<void> {
  await dialectOf(db).checkWritable(db);
}

/** Milliseconds since 1970, by the clock of the database. @throws UploadError `database_unavailable`. */
export async function readTime(db: Database): Promise<number> {
  const { now } = await db.selectNoFrom(dialectOf(db).nowMs.as('now')).executeTakeFirstOrThrow();
  return now;
}

/**
 * Runs `work` in one transaction.
 *
 * @param work is done again when another transaction was in its way: what it does besides writing must be repeatable.
 */
export async function transact<T>(db: Database, work: (tx: Database) => Promise<T>): Promise<T> {
  const { isConflict } = dialectOf(db);
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !isConflict(error)) throw error;
    }
  }
}
