/** Jobs that complete a dataset which is whole. They are added in the transactions that may have made it whole. */
import { type CompiledQuery, sql } from 'kysely';
import { CHECK_DATASET } from '../../dataset-jobs.ts';
import type { Database } from '../database.ts';
import type { FileRow } from '../tables.ts';

/** What adds a job when a file has arrived, if the dataset may be whole now. */
export function checkAfterArrival(db: Database, file: FileRow): CompiledQuery[] {
  if (file.dataset_id === null) return [];
  return [checkInsert(file.dataset_id, `check-${file.id}`, file.created_at).compile(db)];
}

/** As `checkAfterArrival`, for another change. For use inside its transaction. @param jobId a new id. */
export async function requestCheck(tx: Database, datasetId: string, jobId: string, nowMs: number): Promise<void> {
  await checkInsert(datasetId, jobId, nowMs).execute(tx);
}

/** One job waits at most. One that is running may have looked before this change. */
function checkInsert(datasetId: string, jobId: string, nowMs: number) {
  return sql`
    insert into jobs (id, kind, file_id, owner, status, attempts, fence, run_at, created_at, updated_at)
    select ${sql.val(jobId)}, ${sql.val(CHECK_DATASET)}, id, owner, 'waiting', 0, 0, ${nowMs}, ${nowMs}, ${nowMs}
    from datasets
    where id = ${datasetId} and complete_when_whole = 1 and state = 'open' and deleted_at is null
      and (expected_files is not null or announced > 0)
      and files >= coalesce(expected_files, 0) and files >= announced
      and not exists (
        select 1 from jobs where file_id = ${datasetId} and kind = ${CHECK_DATASET} and status = 'waiting' and attempts = 0
      )`;
}

/** Deletes the jobs of earlier checks of a dataset. */
export async function forgetChecks(db: Database, datasetId: string): Promise<void> {
  await db
    .deleteFrom('jobs')
    .where('file_id', '=', datasetId)
    .where('kind', '=', CHECK_DATASET)
    .where('status', 'in', ['done', 'failed'])
    .execute();
}
