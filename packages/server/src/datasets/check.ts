/** Compares the files that a dataset is to have with those that have arrived. */
import { toHex } from '@cryolift/protocol/digest';
import type { CheckItem, CheckQuery, DatasetCheck } from '@cryolift/protocol/messages';
import { openCursor, sealCursor, wrongCursor } from '../cursor.ts';
import type { Database } from '../db/database.ts';
import {
  countByStatus,
  countExtra,
  countPartlyRead,
  countUnread,
  type ExpectedItem,
  type ExpectedStatus,
  findMovieSize,
  listByStatus,
  listDoubles,
  listExtra,
  listPartlyRead,
  listReferences,
  type Reference,
} from '../db/datasets/comparison.ts';
import { countLiveUploads } from '../db/datasets/members.ts';
import { countMissing, isWhole } from '../db/datasets/shortfall.ts';
import { toPage } from '../db/page.ts';
import type { DatasetContext, MayAccess } from './context.ts';
import { findAccessible } from './datasets.ts';

/** Gain references and files of defects of one dataset that are compared. */
const MAX_REFERENCES = 1_000;
const NONE: CheckItem = {
  path: '',
  file_id: null,
  size: null,
  sha256: null,
  sections: null,
  named_by: null,
  reason: null,
  files: null,
};

/** Counts of all lists, and a page of one. @throws UploadError `dataset_not_found`, `invalid_request`. */
export async function checkDataset(
  { db }: DatasetContext,
  id: string,
  mayAccess: MayAccess,
  { list = 'missing', cursor }: Omit<CheckQuery, 'limit'>,
  limit: number,
): Promise<DatasetCheck> {
  const row = await findAccessible(db, id, mayAccess);
  const counts = await countByStatus(db, id);
  const missing = countMissing(row, counts);
  const [uploads, unread] = [await countLiveUploads(db, id), await countUnread(db, id)];
  const doubles = await listDoubles(db, id);
  const references = await compareReferences(db, id);
  const of = `check ${id} ${list}`;
  const after = cursor === undefined ? [] : openCursor(of, cursor);
  if (!after.every((each) => typeof each === 'string' || Number.isSafeInteger(each))) throw wrongCursor();
  return {
    dataset_id: id,
    state: row.state,
    whole: isWhole({ missing, uploads, unread }),
    counts: {
      files: Number(row.files),
      announced: Number(row.announced),
      present: counts.present,
      missing: missing - counts.wrong,
      wrong: counts.wrong,
      extra: Number(row.announced) === 0 ? countBeyond(row) : await countExtra(db, id),
      double: doubles.length,
      references: references.length,
      references_wrong: references.filter(({ reason }) => reason === 'differs').length,
      references_turned: references.filter(({ reason }) => reason === 'turned').length,
      partly_read: await countPartlyRead(db, id),
      uploads,
      unread,
    },
    list,
    ...(await pageOf(db, id, list, {
      of,
      after,
      limit,
      sources: { double: doubles.map(toDouble), reference: references },
    })),
  };
}

/** Without a list of files, those beyond the number that was announced are extra; which, nobody knows. */
function countBeyond({ expected_files, files }: { expected_files: number | null; files: number }): number {
  return expected_files === null ? 0 : Math.max(0, Number(files) - expected_files);
}

interface Paging {
  readonly of: string;
  readonly after: readonly unknown[];
  readonly limit: number;
  /** Lists that are short. */
  readonly sources: Readonly<Record<'double' | 'reference', readonly CheckItem[]>>;
}

async function pageOf(
  db: Database,
  id: string,
  list: NonNullable<CheckQuery['list']>,
  { of, after, limit, sources }: Paging,
): Promise<Pick<DatasetCheck, 'items' | 'next_cursor'>> {
  if (list === 'double' || list === 'reference') {
    const from = Number(after[0] ?? 0);
    const items = sources[list].slice(from, from + limit);
    const end = from + limit;
    return { items, next_cursor: end < sources[list].length ? sealCursor(of, [end]) : null };
  }
  if (list === 'extra') {
    const rows = await listExtra(db, id, { after: (after[0] as string | undefined) ?? null, limit: limit + 1 });
    const page = toPage(rows, limit, ({ path }) => sealCursor(of, [path]));
    return { ...page, items: page.items.map((each) => ({ ...NONE, ...each })) };
  }
  if (list === 'partly_read') {
    const rows = await listPartlyRead(db, id, { after: (after[0] as string | undefined) ?? null, limit: limit + 1 });
    const page = toPage(rows, limit, ({ file_id }) => sealCursor(of, [file_id]));
    return { ...page, items: page.items.map((each) => ({ ...NONE, ...each })) };
  }
  const [how, sought] = after as string[];
  const place = how === undefined || sought === undefined ? null : { how, sought };
  const rows = await listByStatus(db, id, list satisfies ExpectedStatus, { after: place, limit: limit + 1 });
  const page = toPage(rows, limit, (last) => sealCursor(of, [last.how, last.sought]));
  return { ...page, items: page.items.map(toItem) };
}

function toItem({ path, file_id, size, sha256, sections, source }: ExpectedItem): CheckItem {
  return {
    ...NONE,
    ...{ path, file_id, size, sections },
    sha256: sha256 && toHex(sha256),
    named_by: source === '' ? null : source,
  };
}

function toDouble({ path, reason, files }: { path: string; reason: 'path' | 'digest'; files: number }): CheckItem {
  return { ...NONE, path, reason: reason === 'path' ? 'same_path' : 'same_content', files };
}

/** Gain references and files of defects: whether they have the size of the movies. */
async function compareReferences(db: Database, id: string): Promise<CheckItem[]> {
  const references = await listReferences(db, id, MAX_REFERENCES);
  const movies = references.length === 0 ? null : await findMovieSize(db, id);
  return references.map((each) => ({
    ...NONE,
    ...{ path: each.path, file_id: each.file_id, size: each.size },
    reason: compareSize(each, movies),
    files: movies?.files ?? null,
  }));
}

function compareSize(
  { width, height }: Reference,
  movies: { width: number; height: number } | null,
): 'matches' | 'turned' | 'differs' | 'unknown' {
  if (width === null || height === null || movies === null) return 'unknown';
  if (width === movies.width && height === movies.height) return 'matches';
  return width === movies.height && height === movies.width ? 'turned' : 'differs';
}
