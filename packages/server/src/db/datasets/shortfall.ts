/** What a dataset lacks. */
import type { Database } from '../database.ts';
import type { DatasetRow, UploadRow } from '../tables.ts';
import { countByStatus, countUnread, listByStatus } from './comparison.ts';
import { countLiveUploads, listLiveUploads } from './members.ts';

export interface Shortfall {
  /** Files that are not there, or not as they were announced. */
  readonly missing: number;
  /** Some of them: paths or names. */
  readonly names: readonly string[];
  /** Uploads that may still bring a file. */
  readonly uploads: number;
  /** Some of them, those without activity for the longest time first. */
  readonly openUploads: readonly UploadRow[];
  /** Files that are there and not read yet: they may name others, or differ. */
  readonly unread: number;
}

/** Names, and uploads, in an answer. */
const NAMED = 20;

/** Inside a transaction that has locked the row, nothing arrives and nothing is deleted meanwhile. */
export async function readShortfall(db: Database, dataset: DatasetRow): Promise<Shortfall> {
  const { id } = dataset;
  const counts = await countByStatus(db, id);
  const uploads = await countLiveUploads(db, id);
  const page = { after: null, limit: NAMED };
  const named = counts.missing === 0 ? [] : await listByStatus(db, id, 'missing', page);
  const wrong = counts.wrong === 0 || named.length === NAMED ? [] : await listByStatus(db, id, 'wrong', page);
  return {
    missing: countMissing(dataset, counts),
    names: [...named, ...wrong].slice(0, NAMED).map(({ path }) => path),
    uploads,
    openUploads: uploads === 0 ? [] : await listLiveUploads(db, id, NAMED),
    unread: await countUnread(db, id),
  };
}

export function isWhole({ missing, uploads, unread }: Pick<Shortfall, 'missing' | 'uploads' | 'unread'>): boolean {
  return missing === 0 && uploads === 0 && unread === 0;
}

/** Those that are named, or more when more are expected than are there. */
export function countMissing(
  { expected_files, files }: Pick<DatasetRow, 'expected_files' | 'files'>,
  { missing, wrong }: Record<'missing' | 'wrong', number>,
): number {
  return Math.max(missing + wrong, (expected_files ?? 0) - Number(files));
}
