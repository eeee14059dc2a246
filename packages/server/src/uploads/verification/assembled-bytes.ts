/** The bytes of an upload that was assembled and is not published. */
import type { UploadRow } from '../../db/tables.ts';
import type { FilePlace } from '../../storage/places.ts';
import type { UploadContext } from '../context.ts';
import { toStaged } from '../upload-record.ts';

/** The upload has failed: an object that was made of its parts has no record and never gets one. */
export async function removeAssembled(context: UploadContext, row: UploadRow, place: FilePlace): Promise<void> {
  await context.storage.uploads
    .withdraw(toStaged(row), place)
    .catch((cause: unknown) => context.log.error({ upload_id: row.id, err: cause }, 'assembled bytes not removed'));
}
