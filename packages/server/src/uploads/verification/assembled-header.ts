/** Checks the header of an MRC file as it is stored, where its first part may have come without passing this server. */
import { isMrcName } from '@cryolift/mrc';
import { UploadError } from '@cryolift/protocol/errors';
import type { UploadRow } from '../../db/tables.ts';
import { replaceHeader } from '../../db/uploads/uploads.ts';
import type { FilePlace } from '../../storage/places.ts';
import type { UploadContext } from '../context.ts';
import { failUpload } from '../ending.ts';
import { checkHeader, type HeaderVerdict, NEEDED_HEADER_BYTES } from '../parts/header-check.ts';
import { removeAssembled } from './assembled-bytes.ts';

/**
 * @returns the row with what the stored header says.
 * @throws UploadError `invalid_mrc` when it is rejected: the upload has failed then. `storage_unavailable`.
 */
export async function checkAssembledHeader(
  context: UploadContext,
  row: UploadRow,
  place: FilePlace,
  requestId: string,
): Promise<UploadRow> {
  if (!context.storage.presigner || !isMrcName(row.filename) || row.size === 0) return row;
  const header = await readStart(context, place);
  let verdict: HeaderVerdict;
  try {
    verdict = checkHeader({ filename: row.filename, sizeBytes: row.size, header, force: row.force === 1 });
  } catch (error) {
    if (error instanceof UploadError && error.code === 'invalid_mrc') {
      const guard = context.attempts.guardExclusive(row.id);
      if (await failUpload(context, row, error, requestId, guard)) await removeAssembled(context, row, place);
    }
    throw error;
  }
  if (verdict.mrc === row.mrc && verdict.warnings === row.warnings) return row;
  await replaceHeader(context.db, row.id, verdict);
  return { ...row, ...verdict };
}

async function readStart({ storage }: UploadContext, place: FilePlace): Promise<Uint8Array> {
  const end = Math.min(NEEDED_HEADER_BYTES, place.sizeBytes) - 1;
  const stream = await storage.files.read(place, { start: 0, end });
  if (stream) return Buffer.concat((await stream.toArray()) as Buffer[]);
  throw new UploadError('storage_unavailable', 'The object that was made of the parts cannot be read.');
}
