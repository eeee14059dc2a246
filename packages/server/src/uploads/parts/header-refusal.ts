/** An upload fails when its header is refused. */
import type { UploadRow } from '../../db/tables.ts';
import type { UploadContext } from '../context.ts';
import { failUpload } from '../ending.ts';
import { isHeaderRefusal } from './header-check.ts';

/** @param check of the header. @throws what it throws; after UploadError `invalid_mrc` or `invalid_tiff` the upload has failed. */
export async function failIfRefused<Verdict>(
  context: UploadContext,
  row: UploadRow,
  requestId: string,
  check: () => Verdict,
): Promise<Verdict> {
  try {
    return check();
  } catch (error) {
    if (isHeaderRefusal(error)) await failUpload(context, row, error, requestId);
    throw error;
  }
}
