/** An upload fails when its header is refused. */
import { UploadError } from '@cryolift/protocol/errors';
import type { UploadRow } from '../../db/tables.ts';
import type { UploadContext } from '../context.ts';
import { failUpload } from '../ending.ts';

/** @param check of the header. @throws what it throws; after UploadError `invalid_mrc` the upload has failed. */
export async function failIfRefused<Verdict>(
  context: UploadContext,
  row: UploadRow,
  requestId: string,
  check: () => Verdict,
): Promise<Verdict> {
  try {
    return check();
  } catch (error) {
    if (error instanceof UploadError && error.code === 'invalid_mrc') await failUpload(context, row, error, requestId);
    throw error;
  }
}
