/** Announces the files that a dataset is to have, and withdraws what was announced. */
import { DATASET_LIMITS } from '@cryolift/protocol/dataset-limits';
import { fromHex } from '@cryolift/protocol/digest';
import { UploadError } from '@cryolift/protocol/errors';
import { cleanPath } from '@cryolift/protocol/file-path';
import type { AnnouncedFiles, ExpectedFiles, WithdrawnFiles, WithdrawRequest } from '@cryolift/protocol/messages';
import type { Database } from '../db/database.ts';
import { requestCheck } from '../db/datasets/check-jobs.ts';
import { announce, withdraw } from '../db/datasets/expected.ts';
import { lockDataset } from '../db/datasets/rows.ts';
import type { DatasetRow } from '../db/tables.ts';
import type { DatasetContext, MayAccess } from './context.ts';
import { datasetNotFound, findAccessible } from './datasets.ts';

/** @throws UploadError `dataset_not_found`, `dataset_closed`, `invalid_request`, `quota_exceeded`. */
export async function announceFiles(
  context: DatasetContext,
  id: string,
  mayAccess: MayAccess,
  files: ExpectedFiles,
): Promise<AnnouncedFiles> {
  const given = new Map(files.map(({ path, size, sha256 }) => [toPath(path), { size, sha256 }]));
  const rows = [...given].map(([path, { size = null, sha256 }]) => ({
    path,
    size,
    sha256: sha256 === undefined ? null : fromHex(sha256),
  }));
  return await whileOpen(context, id, mayAccess, async (tx, before) => {
    const announced = await announce(tx, id, rows);
    if (announced > DATASET_LIMITS.expectedFiles) throw tooManyFiles(announced, before, rows.length);
    return { announced };
  });
}

/**
 * Withdraws what clients have announced; what files of the dataset name stays. Safe to repeat.
 *
 * @throws UploadError `dataset_not_found`, `dataset_closed`, `invalid_request`.
 */
export async function withdrawFiles(
  context: DatasetContext,
  id: string,
  mayAccess: MayAccess,
  { paths }: WithdrawRequest,
): Promise<WithdrawnFiles> {
  const named = paths === undefined ? null : [...new Set(paths.map(toPath))];
  return await whileOpen(context, id, mayAccess, async (tx, before) => {
    const announced = await withdraw(tx, id, named);
    return { withdrawn: Number(before.announced) - announced, announced };
  });
}

function toPath(given: string): string {
  const path = cleanPath(given);
  if (path === '') throw new UploadError('invalid_request', 'The request is not valid: a path is empty.');
  return path;
}

/** Changes what is expected of an open dataset, while nothing arrives. It may be whole then. */
async function whileOpen<Result>(
  { db, outbox, now, newId, fileJobs }: DatasetContext,
  id: string,
  mayAccess: MayAccess,
  change: (tx: Database, before: DatasetRow) => Promise<Result>,
): Promise<Result> {
  await findAccessible(db, id, mayAccess);
  const result = await outbox.transact(async (tx) => {
    const row = await lockDataset(tx, id);
    if (!row) throw datasetNotFound(id);
    if (row.state !== 'open') {
      throw new UploadError('dataset_closed', `The dataset ${row.name} is ${row.state}: nothing is expected of it.`, {
        details: { state: row.state },
      });
    }
    const changed = await change(tx, row);
    await requestCheck(tx, id, newId(), now());
    return changed;
  });
  fileJobs.wake();
  return result;
}

function tooManyFiles(announced: number, { announced: used }: DatasetRow, needed: number): UploadError {
  const limit = DATASET_LIMITS.expectedFiles;
  return new UploadError('quota_exceeded', `${announced} files are announced; ${limit} are allowed.`, {
    details: { used: Number(used), limit, needed },
  });
}
