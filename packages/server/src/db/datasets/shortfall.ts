/** What a dataset lacks. */
import type { Database } from '../database.ts';
import type { DatasetRow } from '../tables.ts';
import { countLiveUploads } from './members.ts';

export interface Shortfall {
  /** Files that are not there, or not as they were announced. */
  readonly missing: number;
  /** Some of them: paths or names. */
  readonly names: readonly string[];
  /** Uploads that may still bring a file. */
  readonly uploads: number;
}

/** For use inside a transaction that has locked the row, so that nothing arrives and nothing is deleted meanwhile. */
export async function readShortfall(tx: Database, dataset: DatasetRow): Promise<Shortfall> {
  const uncounted = Math.max(0, (dataset.expected_files ?? 0) - Number(dataset.files));
  return { missing: uncounted, names: [], uploads: await countLiveUploads(tx, dataset.id) };
}

export function isWhole({ missing, uploads }: Shortfall): boolean {
  return missing === 0 && uploads === 0;
}
