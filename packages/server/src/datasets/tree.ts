/** The folders of a dataset. */
import { cleanPath } from '@cryolift/protocol/file-path';
import type { DatasetRecord, FileTree } from '@cryolift/protocol/messages';
import { openCursor, sealCursor, wrongCursor } from '../cursor.ts';
import { type FolderSum, sumDatasetFolders } from '../db/datasets/members.ts';
import { toPage } from '../db/page.ts';
import type { DatasetContext } from './context.ts';

/** The folders below one, and the sums of that itself. @param prefix with or without a slash at its end. */
export async function treeOfDataset(
  { db }: DatasetContext,
  { dataset_id }: DatasetRecord,
  { prefix = '', cursor, limit }: { prefix?: string | undefined; cursor?: string | undefined; limit: number },
): Promise<FileTree> {
  const path = cleanPath(prefix);
  const of = `tree ${dataset_id} ${path}`;
  const [after = null] = cursor === undefined ? [] : openCursor(of, cursor);
  if (after !== null && typeof after !== 'string') throw wrongCursor();
  const { itself, below } = await sumDatasetFolders(db, dataset_id, path);
  const from = after === null ? 0 : below.findIndex(({ name }) => name === after) + 1;
  const page = toPage(below.slice(from), limit, ({ name }) => sealCursor(of, [name]));
  const begin = path === '' ? '' : `${path}/`;
  return {
    prefix: begin,
    ...toSums(itself),
    items: page.items.map((sum) => ({ name: sum.name, prefix: `${begin}${sum.name}/`, ...toSums(sum) })),
    next_cursor: page.next_cursor,
  };
}

function toSums(sum: FolderSum | null) {
  if (sum === null) return { files: 0, bytes: 0, newest_at: null };
  return { files: sum.files, bytes: sum.bytes, newest_at: new Date(sum.newest).toISOString() };
}
