/** The job that runs the administrator's command on a completed dataset. */
import { toDatasetRecord } from '../datasets/record.ts';
import type { Database } from '../db/database.ts';
import { findDataset } from '../db/datasets/rows.ts';
import { type Command, runCommand } from './on-complete.ts';
import type { Work } from './queue.ts';

/** The record comes on standard input, the id as the last argument; both and the name are in the environment. */
export function onDatasetCompleteWork({ db }: { db: Database }, command: Command): Work {
  return {
    maxAttempts: 10,
    async run({ file_id: id }, signal) {
      const row = await findDataset(db, id);
      if (!row) return { status: 'failed', detail: { message: 'The dataset was deleted before the command ran.' } };
      const env = { ...command.env, CRYOLIFT_DATASET_ID: id, CRYOLIFT_DATASET_NAME: row.name };
      return await runCommand({ ...command, env }, id, JSON.stringify(toDatasetRecord(row)), signal);
    },
  };
}
