/** Calls about many files of the caller. */
import type {
  DeletedFiles,
  FilePage,
  FileQuery,
  FileTree,
  ManifestQuery,
  TreeQuery,
} from '@cryolift/protocol/messages';
import type { Api } from './api.ts';
import type { CallOptions } from './authorized-transport.ts';
import { toQuery } from './query.ts';
import { isDeletedFiles, isFilePage, isFileTree } from './shapes.ts';

/** The limit of the server for one call. */
const MOST_DELETED = 1000;

/** A page of the files that match, and how many match. Throws as the calls of `Api` do. */
export async function searchFiles(api: Api, query: FileQuery, options?: CallOptions): Promise<FilePage> {
  return await api.call(isFilePage, 'GET', `/files${toQuery(query)}`, undefined, options);
}

/** The list of downloads of all files that match, as the server prints it. Throws as the calls of `Api` do. */
export async function readManifest(api: Api, query: ManifestQuery, options?: CallOptions): Promise<string> {
  return await api.text(`/files/manifest${toQuery(query)}`, options);
}

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
