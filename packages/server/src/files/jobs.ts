/** The jobs of a file, as clients see them. */
import type { Job } from '@cryolift/protocol/messages';
import * as db from '../db/jobs.ts';
import type { FileContext } from './files.ts';

/** @param withOutput true when the reader may see the output of commands. */
export async function listJobs(context: FileContext, fileId: string, withOutput: boolean): Promise<Job[]> {
  const rows = await db.listJobs(context.db, fileId);
  return rows.map((row) => ({
    job_id: row.id,
    kind: row.kind,
    status: row.status,
    attempts: row.attempts,
    created_at: new Date(row.created_at).toISOString(),
    updated_at: new Date(row.updated_at).toISOString(),
    outcome: readOutcome(row.outcome, withOutput),
  }));
}

function readOutcome(json: string | null, withOutput: boolean): Job['outcome'] {
  if (json === null) return null;
  const { output, ...outcome } = JSON.parse(json) as NonNullable<Job['outcome']>;
  return withOutput && output !== undefined ? { ...outcome, output } : outcome;
}
