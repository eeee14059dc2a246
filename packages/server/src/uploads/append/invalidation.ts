/** Ends an upload whose client contradicts itself. */
import type { UploadError } from '@cryolift/protocol/errors';
import type { AccessScope, UploadContext } from '../context.ts';
import { failUpload } from '../ending.ts';
import { findAppended } from './state.ts';

/** Fails the upload: it takes no more bytes. @throws UploadError as `findUpload` does. */
export async function invalidateAppended(
  context: UploadContext,
  access: AccessScope,
  id: string,
  error: UploadError,
  requestId: string,
): Promise<void> {
  await failUpload(context, await findAppended(context, access, id), error, requestId);
}
