/** The bytes of an upload that was assembled and is not published. */
import type { UploadRow } from '../../db/tables.ts';
import type { FilePlace } from '../../storage/places.ts';
import { removeStored } from '../../storage/removal.ts';
import type { UploadContext } from '../context.ts';
import { toStaged } from '../upload-record.ts';

/** The upload has failed: what was made of its parts, or is a copy, has no record and never gets one. */
export async function removeAssembled(context: UploadContext, row: UploadRow, place: FilePlace): Promise<void> {
  await withdrawAssembled(context, row, place).catch((cause: unknown) =>
    context.log.error({ upload_id: row.id, err: cause }, 'assembled bytes not removed'),
  );
}

/** As `removeAssembled`. @throws UploadError when they cannot be removed now. */
export async function withdrawAssembled(
  { storage }: Pick<UploadContext, 'storage'>,
  row: UploadRow,
  place: FilePlace,
): Promise<void> {
  // Bytes of a copy may be shared with its source: nothing but their name is removed.
  if (row.copied_from !== null) return await removeStored(storage, place.fileId);
  await storage.uploads.withdraw(toStaged(row), place);
}
