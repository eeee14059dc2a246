/** Lists of an owner's files: newest first, searched, sorted, and by folder. */
import { UploadError } from '@cryolift/protocol/errors';
import { cleanPath } from '@cryolift/protocol/file-path';
import type { DatasetRecord, FileQuery, FileTree } from '@cryolift/protocol/messages';
import { openCursor, sealCursor, wrongCursor } from '../cursor.ts';
import type { Database } from '../db/database.ts';
import { findFiles, findUsage, listFiles } from '../db/files.ts';
import { withinLimits } from '../db/library/entry.ts';
import { findFolder, findNewest, listFolders } from '../db/library/folders.ts';
import { isWholeDataset, type LibraryQuery } from '../db/library/query.ts';
import { isLibraryComplete } from '../db/library/reconcile.ts';
import { type Count, countSome, type Position, searchLibrary } from '../db/library/search.ts';
import { wordsOf } from '../db/library/words.ts';
import { toPage } from '../db/page.ts';
import type { FileContext } from './files.ts';
import { linkFiles } from './sidecars.ts';
import type { StoredFile } from './stored-file.ts';

type Asked = Omit<FileQuery, 'limit'>;

/** The id of the last item of the page before: a ULID. */
const ID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const DAY = /^\d{4}-\d\d-\d\d$/;

export interface FileList {
  readonly items: StoredFile[];
  readonly next_cursor: string | null;
  readonly total: number;
  readonly total_is_more: boolean;
}

/** @throws UploadError `invalid_request` when the cursor is not of a page of this list. */
export async function listLibrary(
  context: FileContext,
  owner: string,
  { cursor, ...asked }: Asked,
  limit: number,
): Promise<FileList> {
  if (Object.values(asked).every((value) => value === undefined))
    return await listNewest(context.db, owner, cursor, limit);
  return await search(context, toLibraryQuery(owner, asked), cursor, limit);
}

/** The files of a dataset, as `listLibrary`. */
export async function listDatasetFiles(
  context: FileContext,
  dataset: DatasetRecord,
  { cursor, ...asked }: Asked,
  limit: number,
): Promise<FileList> {
  return await search(context, inDataset(dataset, asked), cursor, limit);
}

/** As `toLibraryQuery`, of the files of a dataset. */
export function inDataset(
  { owner, dataset_id: id, files }: Pick<DatasetRecord, 'owner' | 'dataset_id' | 'files'>,
  asked: Omit<Asked, 'cursor'>,
): LibraryQuery {
  return { ...toLibraryQuery(owner, asked), dataset: { id, files } };
}

async function search(
  context: FileContext,
  query: LibraryQuery,
  cursor: string | undefined,
  limit: number,
): Promise<FileList> {
  const { db } = context;
  const isComplete = await isLibraryComplete(db);
  const position = cursor === undefined ? null : readCursor(query, cursor);
  const { fileIds, next, count } = await searchLibrary(db, query, position?.after ?? null, limit);
  const { total, isMore } = count ?? position?.count ?? (await countAll(db, query)) ?? (await countSome(db, query));
  return {
    items: await linkFiles(db, await findFiles(db, fileIds)),
    next_cursor: next && printCursor(query, { after: next, count: { total, isMore } }),
    total,
    total_is_more: isMore || !isComplete,
  };
}

/** All files, newest first; the cursor is an id. */
async function listNewest(db: Database, owner: string, cursor: string | undefined, limit: number): Promise<FileList> {
  if (cursor !== undefined && !ID.test(cursor)) throw wrongCursor();
  const { files } = await findUsage(db, owner);
  const rows = await listFiles(db, owner, { before: cursor, limit: limit + 1 });
  const page = toPage(rows, limit, (row) => row.id);
  return { ...page, items: await linkFiles(db, page.items), total: files, total_is_more: false };
}

/** @throws UploadError `invalid_request` for a day that no calendar has. */
export function toLibraryQuery(owner: string, asked: Omit<Asked, 'cursor'>): LibraryQuery {
  const { q = '', prefix = '', folder, kind, sort = 'created_at' } = asked;
  return {
    owner,
    words: wordsOf(q),
    prefix: cleanPrefix(prefix),
    folder: folder === undefined ? null : cleanPath(folder),
    kind: kind === undefined ? null : kind === 'other' ? '' : kind,
    dataset: null,
    instrument: asked.instrument === undefined ? null : foldInstrument(asked.instrument),
    minSize: asked.min_size ?? null,
    maxSize: asked.max_size ?? null,
    sinceMs: toMs('since', asked.since),
    untilMs: toMs('until', asked.until),
    sort,
    isDescending: (asked.order ?? (sort === 'filename' ? 'asc' : 'desc')) === 'desc',
  };
}

/** What comes after the last slash may be the beginning of a name. */
function cleanPrefix(prefix: string): string {
  const at = prefix.lastIndexOf('/') + 1;
  const folder = cleanPath(prefix.slice(0, at));
  const begin = prefix
    .slice(at)
    .toWellFormed()
    .normalize('NFC')
    .replace(/\p{Cc}/gu, '');
  return folder === '' ? begin : `${folder}/${begin}`;
}

function foldInstrument(instrument: string): string {
  return instrument.toWellFormed().replace(/\p{Cc}/gu, ' ');
}

function toMs(name: string, time: string | undefined): number | null {
  if (time === undefined) return null;
  const ms = Date.parse(DAY.test(time) ? `${time}T00:00:00Z` : time);
  if (!Number.isNaN(ms)) return ms;
  throw new UploadError('invalid_request', `The request is not valid: ${name} is not a time.`);
}

/** How many match, where a sum says it; null: it has to be counted. */
async function countAll(db: Database, query: LibraryQuery): Promise<Count | null> {
  const { owner, prefix, sort: _, isDescending: __, words, ...others } = query;
  if (isWholeDataset(query)) return { total: query.dataset?.files ?? 0, isMore: false };
  const isOnly = words.length === 0 && Object.values({ ...others }).every((value) => value === null);
  if (!isOnly) return null;
  if (prefix === '') return { total: (await findUsage(db, owner)).files, isMore: false };
  const path = prefix.slice(0, -1);
  if (!prefix.endsWith('/') || withinLimits(path) !== path) return null;
  return { total: (await findFolder(db, owner, path))?.files ?? 0, isMore: false };
}

/** The folders below one, and the sums of that itself. @param prefix with or without a slash at its end. */
export async function listTree(
  { db }: FileContext,
  owner: string,
  { prefix = '', cursor, limit }: { prefix?: string | undefined; cursor?: string | undefined; limit: number },
): Promise<FileTree> {
  const path = cleanPath(prefix);
  const of = `tree ${path}`;
  const [after = null] = cursor === undefined ? [] : openCursor(of, cursor);
  if (after !== null && typeof after !== 'string') throw wrongCursor();
  const itself = await sumFolder(db, owner, path);
  const rows = await listFolders(db, owner, path, { after, limit: limit + 1 });
  const page = toPage(rows, limit, (row) => sealCursor(of, [row.name]));
  const begin = path === '' ? '' : `${path}/`;
  return {
    prefix: begin,
    ...itself,
    ...((await isLibraryComplete(db)) ? {} : { incomplete: true }),
    items: page.items.map(({ name, files, bytes, newest }) => ({
      name,
      prefix: `${begin}${name}/`,
      files,
      bytes,
      newest_at: new Date(newest).toISOString(),
    })),
    next_cursor: page.next_cursor,
  };
}

async function sumFolder(db: Database, owner: string, path: string) {
  const folder = path === '' ? await sumAll(db, owner) : await findFolder(db, owner, path);
  if (!folder) return { files: 0, bytes: 0, newest_at: null };
  const { files, bytes, newest } = folder;
  return { files, bytes, newest_at: newest === null ? null : new Date(newest).toISOString() };
}

async function sumAll(db: Database, owner: string) {
  return { ...(await findUsage(db, owner)), newest: await findNewest(db, owner) };
}

interface Place {
  readonly after: Position;
  readonly count: Count;
}

/** The same for a dataset that has more files now. */
function nameOf(query: LibraryQuery): string {
  return JSON.stringify({ ...query, dataset: query.dataset?.id ?? null });
}

function printCursor(query: LibraryQuery, { after, count }: Place): string {
  return sealCursor(nameOf(query), [after.key, after.id, count.total, count.isMore]);
}

function readCursor(query: LibraryQuery, cursor: string): Place {
  const [key, id, total, isMore] = openCursor(nameOf(query), cursor);
  const isKey = typeof key === (query.sort === 'filename' ? 'string' : 'number');
  if (!isKey || !Number.isSafeInteger(id) || !Number.isSafeInteger(total)) throw wrongCursor();
  return {
    after: { key: key as string | number, id: id as number },
    count: { total: total as number, isMore: isMore === true },
  };
}
