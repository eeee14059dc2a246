import { ANALYSIS_JOB } from '../analysis-job.ts';
import type { Database } from '../db/database.ts';
import { insertJob } from '../db/jobs.ts';
import type { FileRow } from '../db/tables.ts';
import type { FileContext } from '../files/files.ts';

/** Inserts a job that analyzes a file again. For use inside the transaction of the change that needs it. */
export async function analyzeAgain(
  context: Pick<FileContext, 'newId' | 'now'>,
  tx: Database,
  { id, owner }: FileRow,
): Promise<void> {
  await insertJob(tx, { id: context.newId(), kind: ANALYSIS_JOB, fileId: id, owner, nowMs: context.now() });
}
