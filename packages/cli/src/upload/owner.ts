/** Checks that the server has a file of this owner, before the file is skipped, moved or deleted. */
import { type Api, RetryPolicy, ServerError } from '@cryolift/client';
import type { FileRecord } from '@cryolift/protocol/messages';
import type { WentUp } from './folder-journal.ts';

export type Confirmation =
  | { readonly kind: 'there'; readonly file: FileRecord }
  /** It was deleted, belongs to another owner, or has other bytes. */
  | { readonly kind: 'gone' }
  /** The token may not read file records. */
  | { readonly kind: 'untold' };

/** Waits for an unreachable server, as uploads do. @param retryPolicy bounds the wait. @throws as RetryPolicy does. */
export async function askOwner(
  api: Api,
  signal: AbortSignal,
  retryPolicy = new RetryPolicy(),
  onRetry?: (error: unknown) => void,
): Promise<string> {
  return await retryPolicy.retry(() => api.owner({ signal }), signal, onRetry);
}

/** Asks the server for the record of a file, and checks its owner and digest. @throws as RetryPolicy does. */
export async function confirm(
  api: Api,
  owner: string,
  { file_id, sha256, upload_id }: Pick<WentUp, 'file_id' | 'sha256' | 'upload_id'>,
  signal: AbortSignal,
): Promise<Confirmation> {
  const ask = async <Result>(call: () => Promise<Result>) => await new RetryPolicy().retry(call, signal);
  // Null: the server has not read the file since it took its parts, which were compared.
  const check = (file: FileRecord): Confirmation =>
    file.owner === owner && [sha256, null].includes(file.sha256) && file.file_id === file_id
      ? { kind: 'there', file }
      : { kind: 'gone' };
  try {
    return check(await ask(() => api.file(file_id)));
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    if (error.code === 'file_not_found') return { kind: 'gone' };
    if (error.code !== 'forbidden') throw error;
  }
  if (upload_id === null) return { kind: 'untold' };
  // An upload link, or a token that may upload only: while the upload is stored, complete returns the record again.
  try {
    const completion = await ask(() => api.complete(upload_id, undefined, { signal }));
    return completion.kind === 'completed' ? check(completion.file) : { kind: 'untold' };
  } catch (error) {
    if (error instanceof ServerError && error.code === 'file_not_found') return { kind: 'gone' };
    if (error instanceof ServerError && error.code === 'upload_not_found') return { kind: 'untold' };
    throw error;
  }
}
