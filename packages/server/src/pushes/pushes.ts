/** Starts, lists, reads and cancels pushes. */
import { UploadError } from '@cryolift/protocol/errors';
import type { PushRecord } from '@cryolift/protocol/messages';
import { PUSH } from '../dataset-jobs.ts';
import type { MayAccess } from '../datasets/context.ts';
import { findAccessible } from '../datasets/datasets.ts';
import type { Database } from '../db/database.ts';
import {
  changePush,
  findPush,
  findPushTo,
  forgetPushedFiles,
  insertPush,
  LIVE_PUSHES,
  listPushes,
} from '../db/datasets/pushes.ts';
import { lockDataset } from '../db/datasets/rows.ts';
import { dialectOf } from '../db/dialect.ts';
import { endJobsOf, insertJob } from '../db/jobs.ts';
import type { DatasetRow, PushRow } from '../db/tables.ts';
import { betweenSteps } from '../durable-step.ts';
import type { PushContext } from './context.ts';
import { toPushRecord } from './record.ts';

/** Places that one dataset is pushed to. */
const MAX_PUSHES = 100;

/**
 * Pushes a completed dataset to a place. One that is under way goes on; one that has ended is begun again: what was
 * verified by an attempt that failed or was cancelled is not sent again.
 *
 * @throws UploadError `dataset_not_found`, `dataset_not_complete`, `destination_not_found`, `quota_exceeded`.
 */
export async function startPush(
  { outbox, now, newId, destinations, fileJobs, db }: PushContext,
  datasetId: string,
  mayAccess: MayAccess,
  to: string,
): Promise<PushRecord> {
  const found = await findAccessible(db, datasetId, mayAccess);
  assertComplete(found, datasetId);
  const { owner } = found;
  const place = destinations.find(to, owner);
  const push = await outbox.transact(async (tx) => {
    await dialectOf(tx).lock(tx, { owner });
    const dataset = await lockDataset(tx, datasetId);
    assertComplete(dataset, datasetId);
    const before = await findPushTo(tx, { dataset_id: datasetId, ...place });
    if (before && LIVE_PUSHES.includes(before.state)) return before;
    const nowMs = now();
    const row = before
      ? await restart(tx, before, nowMs)
      : await insert(tx, { ...draft(newId(), dataset, nowMs), ...place, place: destinations.nameAt(place, dataset) });
    await replaceJob(tx, row, newId(), nowMs);
    return row;
  });
  betweenSteps('push.requested');
  fileJobs.wake();
  return toPushRecord(push);
}

/** Of one push, one job runs: one that waits for its next attempt is replaced. */
async function replaceJob(tx: Database, { id, owner }: PushRow, jobId: string, nowMs: number): Promise<void> {
  await endJobsOf(tx, id, PUSH, nowMs);
  await insertJob(tx, { id: jobId, kind: PUSH, fileId: id, owner, nowMs });
}

function assertComplete(dataset: DatasetRow | undefined, id: string): asserts dataset is DatasetRow {
  if (dataset && ['complete', 'released'].includes(dataset.state)) return;
  const message = dataset ? `The dataset ${dataset.name} is ${dataset.state}.` : `The dataset ${id} was deleted.`;
  throw new UploadError('dataset_not_complete', message, { details: { state: dataset?.state ?? null } });
}

function draft(id: string, { id: dataset_id, owner }: DatasetRow, nowMs: number) {
  const none = { receipt_id: null, files: null, bytes: null, files_done: 0, bytes_done: 0, attempts: 0, error: null };
  return {
    id,
    dataset_id,
    owner,
    state: 'waiting',
    ...none,
    created_at: nowMs,
    updated_at: nowMs,
    ended_at: null,
  } as const;
}

async function insert(tx: Database, row: PushRow): Promise<PushRow> {
  const count = (await listPushes(tx, row.dataset_id, MAX_PUSHES)).length;
  if (count >= MAX_PUSHES) {
    const details = { used: count, limit: MAX_PUSHES, needed: 1 };
    throw new UploadError('quota_exceeded', `The dataset was pushed to ${count} places; no more are allowed.`, {
      details,
    });
  }
  await insertPush(tx, row);
  return row;
}

async function restart(tx: Database, { id, state }: PushRow, nowMs: number): Promise<PushRow> {
  // All is verified again that was there at the end of the last push.
  if (state === 'done') await forgetPushedFiles(tx, id);
  const changes = { state: 'waiting', receipt_id: null, attempts: 0, error: null, ended_at: null } as const;
  const row = await changePush(tx, id, [state], changes, nowMs);
  if (!row) throw new Error('the state of a push has changed under its lock');
  return row;
}

/** The newest first. @throws UploadError `dataset_not_found`. */
export async function listPushesOf(
  { db }: PushContext,
  datasetId: string,
  mayAccess: MayAccess,
): Promise<PushRecord[]> {
  await findAccessible(db, datasetId, mayAccess);
  return (await listPushes(db, datasetId, MAX_PUSHES)).map(toPushRecord);
}

/** @throws UploadError `dataset_not_found`, `push_not_found`. */
export async function getPush(
  { db }: PushContext,
  datasetId: string,
  id: string,
  mayAccess: MayAccess,
): Promise<PushRecord> {
  await findAccessible(db, datasetId, mayAccess);
  const row = await findPush(db, id);
  if (row?.dataset_id !== datasetId) throw new UploadError('push_not_found', `There is no push ${id} of this dataset.`);
  return toPushRecord(row);
}

/**
 * Ends a push that is under way; what is at the destination stays there, but for what was begun of a file. One that has
 * ended stays as it is.
 *
 * @throws UploadError `dataset_not_found`, `push_not_found`.
 */
export async function cancelPush(
  context: PushContext,
  datasetId: string,
  id: string,
  mayAccess: MayAccess,
): Promise<PushRecord> {
  await getPush(context, datasetId, id, mayAccess);
  const { outbox, now, newId } = context;
  await outbox.transact(async (tx) => {
    const nowMs = now();
    const ended = { state: 'cancelled', error: null, ended_at: nowMs } as const;
    // One that runs sees it, and removes what was begun.
    if (await changePush(tx, id, ['running'], ended, nowMs)) return;
    const row = await changePush(tx, id, ['waiting'], ended, nowMs);
    if (row) await replaceJob(tx, row, newId(), nowMs);
  });
  context.fileJobs.wake();
  return await getPush(context, datasetId, id, mayAccess);
}
