/** How files arrive in a dataset, and in the whole storage: from the times of the files, so that all servers say the same. */
import type { DatasetRecord, DatasetStream, Overview } from '@cryolift/protocol/messages';
import type { Database } from '../db/database.ts';
import { type Arrivals, sumArrivals } from '../db/datasets/silence.ts';
import type { DatasetRow } from '../db/tables.ts';
import type { DatasetContext, MayAccess } from './context.ts';
import { findAccessible } from './datasets.ts';
import { toDatasetRecord } from './record.ts';

const WINDOW_MS = 600_000;
const FACILITY_WINDOW_MS = 3_600_000;
/** A rate is of no shorter time: two files at once are no stream. */
const LEAST_MS = 60_000;
/** Times that are later are as good as never: a hundred years. */
const LATEST_MS = 100 * 365 * 86_400_000;

/** As `getDataset`, with how files arrive when it is open. @throws UploadError `dataset_not_found`. */
export async function showDataset(
  { db, now }: DatasetContext,
  id: string,
  mayAccess: MayAccess,
): Promise<DatasetRecord> {
  const row = await findAccessible(db, id, mayAccess);
  const record = toDatasetRecord(row);
  return row.state === 'open' ? { ...record, stream: await readStream(db, row, now()) } : record;
}

type Expected = Pick<DatasetRow, 'files' | 'expected_files' | 'announced' | 'first_arrival_at'>;

async function readStream(db: Database, row: DatasetRow, nowMs: number): Promise<DatasetStream> {
  const arrived = await sumArrivals(db, nowMs - WINDOW_MS, row.id);
  return describeStream(row, arrived, nowMs);
}

function describeStream(row: Expected, { files, bytes }: Arrivals, nowMs: number): DatasetStream {
  const spanMs = Math.max(LEAST_MS, Math.min(WINDOW_MS, nowMs - (row.first_arrival_at ?? nowMs)));
  const filesPerMs = files / spanMs;
  const expected = Math.max(row.expected_files ?? 0, Number(row.announced));
  const left = expected - Number(row.files);
  return {
    at: new Date(nowMs).toISOString(),
    window_seconds: Math.round(spanMs / 1000),
    files,
    bytes,
    files_per_second: filesPerMs * 1000,
    bytes_per_second: (bytes / spanMs) * 1000,
    ends_at: left > 0 ? after(nowMs, left, filesPerMs) : null,
  };
}

/** What arrives for all owners. @param space null: the storage has no limit, or does not answer. */
export async function readArriving(
  db: Database,
  space: { readonly free_bytes: number } | null,
  nowMs: number,
): Promise<Overview['arriving']> {
  const { bytes } = await sumArrivals(db, nowMs - FACILITY_WINDOW_MS, null);
  const perMs = bytes / FACILITY_WINDOW_MS;
  return { bytes_per_second: perMs * 1000, full_at: space && after(nowMs, space.free_bytes, perMs) };
}

/** When an amount is reached; null: never. */
function after(nowMs: number, amount: number, perMs: number): DatasetRecord['created_at'] | null {
  const ms = amount / perMs;
  return ms < LATEST_MS ? new Date(nowMs + ms).toISOString() : null;
}
