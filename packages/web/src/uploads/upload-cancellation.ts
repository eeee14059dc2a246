/** Cancels an upload on the server. */
import { type Api, RetryPolicy, ServerError } from '@cryolift/client';
import type { FileRecord } from '@cryolift/protocol/messages';

/** Cancelling fails after this time without an answer. */
const CANCEL_MS = 30_000;

/**
 * Repeats the requests, which are idempotent: the connections of the aborted parts may still be open and fail them.
 *
 * @returns null when the upload is cancelled; its file when the server had published it before.
 */
export async function cancelOnServer(api: Api, uploadId: string): Promise<FileRecord | null> {
  const retryPolicy = new RetryPolicy(CANCEL_MS);
  try {
    await retryPolicy.retry(() => api.cancel(uploadId));
    return null;
  } catch (error) {
    const code = error instanceof ServerError ? error.code : null;
    if (code === 'upload_not_found') return null;
    if (code !== 'upload_closed') throw error;
    const completion = await retryPolicy.retry(() => api.complete(uploadId));
    if (completion.kind === 'completed') return completion.file;
    throw error;
  }
}
