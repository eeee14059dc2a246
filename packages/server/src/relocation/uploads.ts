/** Uploads under way: those that the storage of the target can hold go on there. */
import { MAX_PART_COUNT } from '@cryolift/protocol/plan';
import type { Database } from '../db/database.ts';
import { insertUpload, listLiveAfter } from '../db/relocation/live-uploads.ts';
import type { UploadRow } from '../db/tables.ts';
import { findUploadRow, listStagedRefs } from '../db/uploads/uploads.ts';
import { Bus } from '../events/bus.ts';
import { Outbox } from '../events/outbox.ts';
import { createIds } from '../ids.ts';
import type { Storage } from '../storage/storage.ts';
import type { StorageLimits } from '../storage/upload-storage.ts';
import { moveUpload } from '../uploads/transitions.ts';
import { eachRow } from './pages.ts';

const BATCH = 100;

/** In the order of their ids. */
export function eachLive(db: Database): AsyncGenerator<UploadRow> {
  return eachRow((after) => listLiveAfter(db, after, BATCH));
}

/** A plan of parts is fixed when an upload is started; an upload of one part fits everywhere. */
export function fits(row: UploadRow, limits: StorageLimits): boolean {
  if (row.part_count <= 1) return row.size <= limits.maxPartSizeBytes;
  return (
    row.part_size >= limits.minPartSizeBytes &&
    row.part_size <= limits.maxPartSizeBytes &&
    row.part_size % (limits.partSizeStepBytes ?? 1) === 0 &&
    row.part_count <= Math.min(limits.maxPartCount ?? MAX_PART_COUNT, MAX_PART_COUNT)
  );
}

/** Cancels an upload at the target that was never copied there. Its client learns so, and may start it again. */
export async function cancelAtTarget(db: Database, row: UploadRow): Promise<void> {
  if (!(await findUploadRow(db, row.id))) {
    const empty = { storage_ref: null, received_parts: 0, received_bytes: 0, must_recheck: 0, file_id: null };
    await insertUpload(db, { ...row, ...empty, status: 'pending' });
  }
  const outbox = new Outbox(db, new Bus(), createIds());
  // Jobs run when a server starts on it.
  await moveUpload({ outbox, now: Date.now, fileJobs: { wake() {} } }, row.id, 'cancel');
}

/** Frees what interrupted copies have left at the target. */
export async function discardLeftovers(db: Database, { uploads }: Storage): Promise<void> {
  const kept = await listStagedRefs(db);
  for (const found of await uploads.list()) {
    if (kept.has(found.id) && kept.get(found.id) === found.ref) continue;
    await uploads.discard(found);
  }
}
