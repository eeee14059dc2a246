/** Makes, finds, lists, changes and deletes datasets. */
import { DATASET_LIMITS } from '@cryolift/protocol/dataset-limits';
import { UploadError } from '@cryolift/protocol/errors';
import type {
  DatasetChanges,
  DatasetPage,
  DatasetQuery,
  DatasetRecord,
  DatasetRequest,
} from '@cryolift/protocol/messages';
import { openCursor, sealCursor, wrongCursor } from '../cursor.ts';
import { EMPTY_DATASET } from '../dataset-jobs.ts';
import type { Database } from '../db/database.ts';
import { requestCheck } from '../db/datasets/check-jobs.ts';
import {
  changeDataset,
  countDatasets,
  countMatching,
  type DatasetFields,
  findDataset,
  findDatasetNamed,
  insertDataset,
  listDatasets,
  lockDataset,
  markDatasetDeleted,
} from '../db/datasets/rows.ts';
import { dialectOf } from '../db/dialect.ts';
import { insertJob } from '../db/jobs.ts';
import { wordsOf } from '../db/library/words.ts';
import { toPage } from '../db/page.ts';
import type { DatasetRow } from '../db/tables.ts';
import { betweenSteps } from '../durable-step.ts';
import type { DatasetContext, MayAccess } from './context.ts';
import { draftDataset, printFields, readDatasetName, readText } from './draft.ts';
import { datasetEvent, textOf, toDatasetRecord } from './record.ts';
import { expiryAfter } from './retention.ts';

/** @throws UploadError `invalid_request`, `dataset_exists`, `quota_exceeded`. */
export async function createDataset(
  { outbox, now, newId }: DatasetContext,
  owner: string,
  request: DatasetRequest,
): Promise<DatasetRecord> {
  const row = draftDataset(newId(), owner, request, now());
  await outbox.transact(async (tx, emit) => {
    await dialectOf(tx).lock(tx, { owner });
    const datasets = await countDatasets(tx, owner);
    if (datasets >= DATASET_LIMITS.perOwner) throw tooManyDatasets(datasets);
    if (!(await insertDataset(tx, row))) throw await explainExisting(tx, owner, row.name);
    await emit(datasetEvent('created', row, row.created_at));
  });
  return toDatasetRecord(row);
}

async function explainExisting(tx: Database, owner: string, name: string): Promise<UploadError> {
  const existing = await findDatasetNamed(tx, owner, name);
  return new UploadError('dataset_exists', `You have a dataset of the name ${name}.`, {
    ...(existing ? { details: { dataset_id: existing.id, state: existing.state } } : {}),
  });
}

/** @throws UploadError `dataset_not_found` when there is none that the caller may access. */
export async function getDataset({ db }: DatasetContext, id: string, mayAccess: MayAccess): Promise<DatasetRecord> {
  return toDatasetRecord(await findAccessible(db, id, mayAccess));
}

/** As `getDataset`. @returns the row. */
export async function findAccessible(db: Database, id: string, mayAccess: MayAccess): Promise<DatasetRow> {
  const row = await findDataset(db, id);
  if (!row || !mayAccess(row.owner)) throw datasetNotFound(id);
  return row;
}

/** @throws UploadError `invalid_request` when the cursor is not of a page of this list. */
export async function pageOfDatasets(
  { db }: DatasetContext,
  owner: string,
  { q = '', name: exact, state, sort = 'created_at', cursor }: Omit<DatasetQuery, 'limit'>,
  limit: number,
): Promise<DatasetPage> {
  const search = {
    owner,
    words: wordsOf(q),
    name: exact?.normalize('NFC') ?? null,
    state: state ?? null,
  };
  const of = `datasets ${JSON.stringify([search, sort])}`;
  const [after = null] = cursor === undefined ? [] : openCursor(of, cursor);
  if (after !== null && typeof after !== 'string') throw wrongCursor();
  const rows = await listDatasets(db, search, { sort, after, limit: limit + 1 });
  const page = toPage(rows, limit, ({ id, name }) => sealCursor(of, [sort === 'name' ? name : id]));
  return { ...page, items: page.items.map(toDatasetRecord), total: await countMatching(db, search) };
}

/**
 * Changes what is said of a dataset.
 *
 * @throws UploadError `dataset_not_found`, `dataset_exists`, `invalid_request`.
 */
export async function updateDataset(
  { db, outbox, now, newId, fileJobs }: DatasetContext,
  id: string,
  mayAccess: MayAccess,
  changes: DatasetChanges,
): Promise<DatasetRecord> {
  const { owner } = await findAccessible(db, id, mayAccess);
  const changed = await outbox.transact(async (tx, emit) => {
    await dialectOf(tx).lock(tx, { owner });
    const row = await lockDataset(tx, id);
    if (!row) throw datasetNotFound(id);
    const fields = toFields(row, changes);
    if (fields.name !== row.name && (await findDatasetNamed(tx, owner, fields.name))) {
      throw await explainExisting(tx, owner, fields.name);
    }
    const after = await changeDataset(tx, id, fields, now());
    if (!after) throw datasetNotFound(id);
    await requestCheck(tx, id, newId(), after.updated_at);
    await emit(datasetEvent('updated', after, after.updated_at));
    return after;
  });
  fileJobs.wake();
  return toDatasetRecord(changed);
}

function toFields(row: DatasetRow, changes: DatasetChanges): DatasetFields & { name: string } {
  const given = <T>(value: T | undefined, before: T): T => (value === undefined ? before : value);
  const seen = {
    name: changes.name === undefined ? row.name : readDatasetName(changes.name),
    project: changes.project === undefined ? row.project : readText(changes.project),
    instrument: changes.instrument === undefined ? row.instrument : readText(changes.instrument),
    fields: mergeFields(row.fields, changes.fields ?? {}),
  };
  const retention_ms = given(toMs(changes.retention_seconds), row.retention_ms);
  const warn_ms = given(toMs(changes.warn_seconds), row.warn_ms);
  return {
    ...seen,
    text: textOf(seen),
    expected_files: given(changes.expected_files, row.expected_files),
    complete_when_whole:
      changes.complete_when_whole === undefined ? row.complete_when_whole : Number(changes.complete_when_whole),
    quota_bytes: given(changes.quota_bytes, row.quota_bytes),
    retention_ms,
    warn_ms,
    ...expiryAfter(row, { ...row, retention_ms, warn_ms }),
    silent_after_ms: given(toMs(changes.silent_after_seconds), row.silent_after_ms),
    // It is said anew after the new time.
    silent_at: changes.silent_after_seconds === undefined ? row.silent_at : null,
  };
}

function toMs(seconds: number | null | undefined): number | null | undefined {
  return seconds == null ? seconds : seconds * 1000;
}

function mergeFields(before: string, changes: Readonly<Record<string, string | null>>): string {
  const merged = new Map(Object.entries(JSON.parse(before) as Record<string, string>));
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) merged.delete(key);
    else merged.set(key, value);
  }
  return printFields(Object.fromEntries(merged));
}

/**
 * Deletes a dataset with its files: callers see it no more, and a job deletes the files. @returns it as it was.
 *
 * @throws UploadError `dataset_not_found`.
 */
export async function deleteDataset(context: DatasetContext, id: string, mayAccess: MayAccess): Promise<DatasetRecord> {
  const { db, outbox, now, newId } = context;
  const { owner } = await findAccessible(db, id, mayAccess);
  const deleted = await outbox.transact(async (tx, emit) => {
    // An init that has found it is committed before, or finds it no more.
    await dialectOf(tx).lock(tx, { owner });
    const nowMs = now();
    const row = await markDatasetDeleted(tx, id, nowMs);
    if (!row) throw datasetNotFound(id);
    await insertJob(tx, { id: newId(), kind: EMPTY_DATASET, fileId: id, owner, nowMs });
    await emit(datasetEvent('deleted', row, nowMs));
    return row;
  });
  betweenSteps('dataset.deleted');
  context.fileJobs.wake();
  return toDatasetRecord(deleted);
}

/** @param used how many the owner has. */
export function tooManyDatasets(used: number): UploadError {
  const details = { used, limit: DATASET_LIMITS.perOwner, needed: 1 };
  return new UploadError('quota_exceeded', `You have ${used} datasets; ${details.limit} are allowed.`, {
    hint: 'Delete datasets: GET /datasets lists yours.',
    details,
  });
}

export function datasetNotFound(id: string): UploadError {
  return new UploadError('dataset_not_found', `There is no dataset ${id}.`);
}
