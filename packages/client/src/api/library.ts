/** Calls about many files of the caller. */
import type { DeletedFiles, FileTree, TreeQuery } from '@cryolift/protocol/messages';
import type { Api } from './api.ts';
import type { CallOptions } from './authorized-transport.ts';
import { toQuery } from './query.ts';
import { isDeletedFiles, isFileTree } from './shapes.ts';

/** The limit of the server for one call. */
const MOST_DELETED = 1000;

/** Sums of a folder, and a page of the folders directly below it. Throws as the calls of `Api` do. */
export async function readTree(api: Api, query: TreeQuery = {}, options?: CallOptions): Promise<FileTree> {
  return await api.call(isFileTree, 'GET', `/files/tree${toQuery(query)}`, undefined, options);
}

/**
 * Deletes files, up to 1,000 with each call. Safe to repeat. Throws as the calls of `Api` do; what was deleted before
 * has been yielded then.
 *
 * @returns the answer to each call.
 */
export async function* deleteFiles(api: Api, fileIds: readonly string[]): AsyncGenerator<DeletedFiles> {
  for (let from = 0; from < fileIds.length; from += MOST_DELETED) {
    const file_ids = fileIds.slice(from, from + MOST_DELETED);
    yield await api.call(isDeletedFiles, 'POST', '/files/delete', { file_ids });
  }
}
