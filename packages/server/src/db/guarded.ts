/** A transaction that needs no look at what it read: it is handed over whole, and waits for the disk with others. */
import type { CompiledQuery } from 'kysely';
import type { Database } from './database.ts';
import { type ThreadedConnection, toStatement } from './sqlite/dialect.ts';

export interface GuardedStep {
  /** Must touch a row. */
  write: CompiledQuery;
  /** What to read, after all is undone, when it touches none. */
  otherwise: CompiledQuery;
}

/**
 * Runs the steps in one transaction until one of them touches no row.
 *
 * @returns the rows of the last step; or which step was refused, counted from 0, and the rows of its `otherwise`.
 * @throws UploadError `database_unavailable`; then nothing is written.
 */
export async function runGuarded(
  db: Database,
  steps: readonly GuardedStep[],
): Promise<{ refusedAt: number | null; rows: unknown[] }> {
  const unit = steps.map(({ write, otherwise }) => ({ ...toStatement(write), otherwise: toStatement(otherwise) }));
  return await db.getExecutor().provideConnection((connection) => (connection as ThreadedConnection).runUnit(unit));
}
