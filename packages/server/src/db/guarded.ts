/** A transaction that needs no look at what it read: the dialect takes it as a whole. */
import type { Database } from './database.ts';
import { dialectOf, type GuardedResult, type GuardedStep } from './dialect.ts';

/**
 * Runs the steps in one transaction until one of them touches no row; then nothing is written.
 *
 * @throws UploadError `database_unavailable`; then nothing is written.
 */
export async function runGuarded(db: Database, steps: readonly GuardedStep[]): Promise<GuardedResult> {
  return await dialectOf(db).runGuarded(db, steps);
}
