/** The place of an upload in the storage: made at init or with the first part, and found by a reference in the row. */
import type { UploadRow } from '../db/tables.ts';
import { findUploadRow, replaceStorageRef } from '../db/uploads/uploads.ts';
import type { UploadContext } from './context.ts';
import { uploadClosed } from './parts/part-request.ts';
import { toStaged } from './upload-record.ts';

/** Makes the place where an init could not, or another storage had it. @returns the row with its reference. */
export async function ensureStaged(context: UploadContext, row: UploadRow): Promise<UploadRow> {
  const isMissing = context.storage.uploads.hasRefs && row.storage_ref === null && row.size > 0;
  return isMissing ? await createStaged(context, row) : row;
}

/** Makes the place and keeps its reference. @returns the row with it. @throws UploadError. */
export async function createStaged(context: UploadContext, row: UploadRow): Promise<UploadRow> {
  return await keepRef(context, row, await context.storage.uploads.create(toStaged(row)));
}

/** As `UploadStorage.renew`. @returns the row with its reference. */
export async function renewStaged(context: UploadContext, row: UploadRow): Promise<UploadRow> {
  return await keepRef(context, row, await context.storage.uploads.renew(toStaged(row)));
}

/** Two servers may make the place at once: the reference that is kept first counts, and the other place is freed. */
async function keepRef(context: UploadContext, row: UploadRow, ref: string | null): Promise<UploadRow> {
  if (ref === null || ref === row.storage_ref) return row;
  if (await replaceStorageRef(context.db, row, ref)) return { ...row, storage_ref: ref };
  await context.storage.uploads
    .discard({ id: row.id, filename: row.filename, ref })
    // The sweep frees it.
    .catch((error: unknown) => context.log.warn({ upload_id: row.id, err: error }, 'a second place was not freed'));
  const now = await findUploadRow(context.db, row.id);
  if (!now || now.storage_ref === row.storage_ref) throw uploadClosed(now ?? row);
  return now;
}
