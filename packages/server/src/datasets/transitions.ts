/** Changes of the state of a dataset: each is emitted in the transaction that makes it. */
import { type DatasetEvent, datasetAfter, datasetTarget } from '@cryolift/protocol/dataset-states';
import { UploadError } from '@cryolift/protocol/errors';
import { pathOf } from '@cryolift/protocol/file-path';
import type { DatasetRecord, ForcedCompletion, OpenUpload } from '@cryolift/protocol/messages';
import { ON_DATASET_COMPLETE, RECEIPT } from '../dataset-jobs.ts';
import type { Database } from '../db/database.ts';
import { findDataset, lockDataset, moveDataset } from '../db/datasets/rows.ts';
import { isWhole, readShortfall, type Shortfall } from '../db/datasets/shortfall.ts';
import { dialectOf } from '../db/dialect.ts';
import { insertJob } from '../db/jobs.ts';
import type { DatasetRow, UploadRow } from '../db/tables.ts';
import { betweenSteps } from '../durable-step.ts';
import type { DatasetEventName } from '../events/event.ts';
import type { Emit } from '../events/outbox.ts';
import type { DatasetContext, MayAccess } from './context.ts';
import { datasetNotFound, findAccessible } from './datasets.ts';
import { datasetEvent, toDatasetRecord } from './record.ts';
import { expiryOf } from './retention.ts';

/** Missing files, and uploads, that a message names. */
const MOST_NAMED = 5;
const ENDING =
  'Upload these files again to end their uploads, cancel what nobody goes on with, or complete with force.';

/**
 * Completes a dataset that is whole; one that is complete stays so.
 *
 * @param force completes it also when it is not whole; this is kept in its record. @param by who asks.
 * @throws UploadError `dataset_not_found`, `dataset_closed`, `dataset_incomplete`.
 */
export async function completeDataset(
  context: DatasetContext,
  id: string,
  mayAccess: MayAccess,
  { force, by }: { force: boolean; by: string },
): Promise<DatasetRecord> {
  const { owner } = await findAccessible(context.db, id, mayAccess);
  const row = await inLock(context, owner, id, 'complete', async (tx, emit, before) => {
    const shortfall = await readShortfall(tx, before);
    if (!isWhole(shortfall) && !force) throw explainShortfall(shortfall);
    return await complete(context, tx, emit, before, isWhole(shortfall) ? null : { by, ...toForced(shortfall) });
  });
  context.fileJobs.wake();
  return toDatasetRecord(row);
}

/**
 * Completes a dataset that is to be completed by itself, when it is whole. Safe to repeat.
 *
 * @returns `pending`: nothing is missing, but something has not ended yet.
 */
export async function completeWhenWhole(
  context: DatasetContext,
  id: string,
): Promise<'completed' | 'incomplete' | 'pending'> {
  const found = await findDataset(context.db, id);
  if (!found || (await readShortfall(context.db, found)).missing > 0) return 'incomplete';
  const outcome = await context.outbox.transact(async (tx, emit) => {
    await dialectOf(tx).lock(tx, { owner: found.owner });
    const before = await lockDataset(tx, id);
    if (before?.state !== 'open' || before.complete_when_whole !== 1) return 'incomplete';
    // What was announced may be withdrawn since the job was added.
    if (before.expected_files === null && Number(before.announced) === 0) return 'incomplete';
    const shortfall = await readShortfall(tx, before);
    if (shortfall.missing > 0) return 'incomplete';
    if (!isWhole(shortfall)) return 'pending';
    await complete(context, tx, emit, before, null);
    return 'completed';
  });
  if (outcome === 'completed') context.fileJobs.wake();
  return outcome;
}

async function complete(
  { now, newId, fileJobs }: DatasetContext,
  tx: Database,
  emit: Emit,
  before: DatasetRow,
  forced: Omit<ForcedCompletion, 'at'> | null,
): Promise<DatasetRow> {
  const { id, owner } = before;
  const nowMs = now();
  const record = forced && JSON.stringify({ at: new Date(nowMs).toISOString(), ...forced });
  const row = await moveDataset(
    tx,
    id,
    'complete',
    {
      completed_at: nowMs,
      silent_at: null,
      ...expiryOf({ ...before, completed_at: nowMs }),
      ...(record === null ? {} : { forced: record }),
    },
    nowMs,
  );
  if (!row) throw new Error('the state of a dataset has changed under its lock');
  await emit(datasetEvent('completed', row, nowMs));
  await insertJob(tx, { id: newId(), kind: RECEIPT, fileId: id, owner, nowMs });
  if (fileJobs.runsOnDatasetComplete) {
    await insertJob(tx, { id: newId(), kind: ON_DATASET_COMPLETE, fileId: id, owner, nowMs });
  }
  return row;
}

function toForced({ missing, uploads, openUploads }: Shortfall): Omit<ForcedCompletion, 'at' | 'by'> {
  return { missing, uploads, open_uploads: openUploads.map(toOpenUpload) };
}

function toOpenUpload({ id, filename, metadata, status, received_bytes, size, updated_at }: UploadRow): OpenUpload {
  const path = pathOf(filename, JSON.parse(metadata) as Record<string, string>);
  return { upload_id: id, path, status, received_bytes, size, updated_at: new Date(updated_at).toISOString() };
}

/** Its files were handed over. @throws UploadError `dataset_not_found`, `dataset_closed`. */
export async function releaseDataset(
  context: DatasetContext,
  id: string,
  mayAccess: MayAccess,
): Promise<DatasetRecord> {
  return await move(context, id, mayAccess, 'release', 'released', (nowMs) => ({ released_at: nowMs }));
}

/** It takes files again, and is not completed by itself. @throws UploadError `dataset_not_found`, `dataset_closed`. */
export async function reopenDataset(context: DatasetContext, id: string, mayAccess: MayAccess): Promise<DatasetRecord> {
  return await move(context, id, mayAccess, 'reopen', 'reopened', (nowMs) => ({
    opened_at: nowMs,
    completed_at: null,
    expires_at: null,
    warn_at: null,
    complete_when_whole: 0,
  }));
}

async function move(
  context: DatasetContext,
  id: string,
  mayAccess: MayAccess,
  event: 'release' | 'reopen',
  name: DatasetEventName,
  changesAt: (nowMs: number) => Parameters<typeof moveDataset>[3],
): Promise<DatasetRecord> {
  const { owner } = await findAccessible(context.db, id, mayAccess);
  const row = await inLock(context, owner, id, event, async (tx, emit) => {
    const nowMs = context.now();
    const moved = await moveDataset(tx, id, event, changesAt(nowMs), nowMs);
    if (!moved) throw new Error('the state of a dataset has changed under its lock');
    await emit(datasetEvent(name, moved, nowMs));
    return moved;
  });
  return toDatasetRecord(row);
}

/** Does what the state of a dataset allows, while nothing arrives; one that is in the state already stays as it is. */
async function inLock(
  { outbox }: DatasetContext,
  owner: string,
  id: string,
  event: DatasetEvent,
  work: (tx: Database, emit: Emit, row: DatasetRow) => Promise<DatasetRow>,
): Promise<DatasetRow> {
  const done = await outbox.transact(async (tx, emit) => {
    // No upload to it begins.
    await dialectOf(tx).lock(tx, { owner });
    const row = await lockDataset(tx, id);
    if (!row) throw datasetNotFound(id);
    if (row.state === datasetTarget(event)) return row;
    if (datasetAfter(row.state, event) !== null) return await work(tx, emit, row);
    throw new UploadError('dataset_closed', `The dataset ${row.name} is ${row.state}: it cannot ${event}.`, {
      hint: 'GET /datasets/{dataset_id} says its state; an open one is completed, and a complete one released or reopened.',
      details: { state: row.state },
    });
  });
  betweenSteps('dataset.moved');
  return done;
}

function explainShortfall(shortfall: Shortfall): UploadError {
  const { missing, names, uploads, unread } = shortfall;
  const open = shortfall.openUploads.map(toOpenUpload);
  const parts = [
    ...(missing > 0 ? [`${missing} of its files ${missing === 1 ? 'is' : 'are'} missing${nameFirst(names)}`] : []),
    ...(unread > 0 ? [`${unread} files are not read yet`] : []),
    ...(uploads > 0 ? [`${uploads} uploads to it have not ended${nameFirst(open.map(describeOpen))}`] : []),
  ];
  return new UploadError('dataset_incomplete', `The dataset is not whole: ${parts.join(', and ')}.`, {
    details: { missing, names, uploads, open_uploads: open, unread },
    ...(uploads > 0 && missing === 0 ? { hint: ENDING } : {}),
  });
}

function describeOpen({ path, upload_id, updated_at }: OpenUpload): string {
  return `${path}, upload ${upload_id}, last active ${updated_at}`;
}

/** The details have more of them. */
function nameFirst(names: readonly string[]): string {
  if (names.length === 0) return '';
  return ` (${names.slice(0, MOST_NAMED).join('; ')}${names.length > MOST_NAMED ? '; …' : ''})`;
}
