/** The bytes of an upload that was assembled and is not published. */
import type { UploadRow } from '../../db/tables.ts';
import type { FilePlace } from '../../storage/places.ts';
import { removeStored } from '../../storage/removal.ts';
import type { UploadContext } from '../context.ts';
import { toStaged } from '../upload-record.ts';

/** The upload has failed: what was made of its parts, or is a copy, has no record and never gets one. */
export async function removeAssembled(context: UploadContext, row: UploadRow, place: FilePlace): Promise<void> {
  const { storage } = context;
  // Bytes of a copy may be shared with its source: nothing but their name is removed.
  const removed =
    row.copied_from === null ? storage.uploads.withdraw(toStaged(row), place) : removeStored(storage, place.fileId);
  await removed.catch((cause: unknown) =>
    context.log.error({ upload_id: row.id, err: cause }, 'assembled bytes not removed'),
  );
}
