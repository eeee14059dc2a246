/**
 * Finds files by words, folder, kind, size and time, in any order. When one of the conditions leaves few rows, all of these
 * are read. Otherwise rows are read in the order that is asked for, until a page is full. Both are done in steps between
 * which others are served: on SQLite, this thread reads.
 */
import { type RawBuilder, sql } from 'kysely';
import { takeTurns } from '../../yielding.ts';
import type { Database } from '../database.ts';
import { dialectOf } from '../dialect.ts';
import { findUsage } from '../files.ts';
import { COLUMNS, conditionsOf, isWholeDataset, type LibraryQuery, listSources, scopeOf } from './query.ts';

/** Rows that are read as a whole. */
const FEW = 20_000;
/** With so many or fewer no other condition has to be tried. */
const VERY_FEW = 1_000;
/** Rows per step. */
const STEP = 1_000;
/** So long rows are read in order, on top of one step: the search then answers what it has found. */
const MAX_READ_MS = 100;

/** A place in a list. */
export interface Position {
  readonly key: string | number;
  readonly id: number;
}

export interface Count {
  readonly total: number;
  /** There may be more of them. */
  readonly isMore: boolean;
}

export interface Found {
  readonly fileIds: readonly string[];
  /** Where the next page begins; null: there is none. */
  readonly next: Position | null;
  /** Null: not counted. */
  readonly count: Count | null;
}

interface Row extends Position {
  readonly file_id: string;
}

/**
 * @returns up to `limit` files after a position, and fewer when many were read of which few match: the next page then
 *   goes on.
 */
export async function searchLibrary(
  db: Database,
  query: LibraryQuery,
  after: Position | null,
  limit: number,
): Promise<Found> {
  // An index has them in this order.
  const isInOrder = isWholeDataset(query) && query.sort === 'created_at';
  const few = isInOrder ? null : await findFew(db, query);
  return few ? await readAll(db, query, few, after, limit) : await readInOrder(db, query, after, limit);
}

/** How many of the newest files match; there may be more. */
export async function countSome(db: Database, query: LibraryQuery): Promise<Count> {
  const newest = sql`select id from library where ${scopeOf(query)} order by created_at desc, id desc limit ${STEP}`;
  const { rows } = await sql<{ count: number }>`select count(*) as count ${matching(db, query, newest)}`.execute(db);
  return { total: Number(rows[0]?.count), isMore: true };
}

/** The ids of all rows that may match, when they are few. */
async function findFew(db: Database, query: LibraryQuery): Promise<readonly number[] | null> {
  const { owner, words } = query;
  const { files } = query.dataset ?? (await findUsage(db, owner));
  const whole = sql`select id from library where ${scopeOf(query)}`;
  const sources = [...listSources(query), ...(files <= FEW ? [whole] : [])];
  const found = words.length === 0 ? null : await dialectOf(db).library.findCandidates(db, owner, words, FEW + 1);
  const endTurn = takeTurns();
  let fewest = found && found.length <= FEW ? found : null;
  for (const source of sources) {
    if (fewest && fewest.length <= VERY_FEW) break;
    const limit = fewest?.length ?? FEW + 1;
    const { rows } = await sql<{ id: number }>`select id from (${source}) as source limit ${limit}`.execute(db);
    if (rows.length < limit) fewest = rows.map(({ id }) => id);
    await endTurn();
  }
  return fewest;
}

async function readAll(
  db: Database,
  query: LibraryQuery,
  ids: readonly number[],
  after: Position | null,
  limit: number,
): Promise<Found> {
  const endTurn = takeTurns();
  let total = 0;
  let page: Row[] = [];
  for (let from = 0; from < ids.length; from += STEP) {
    const step = pad(ids.slice(from, from + STEP));
    const { rows } = await sql<Row>`
      select ${columnsOf(query)} from library
      where id in (${sql.join(step)}) and ${sql.join(conditionsOf(db, query), sql` and `)}`.execute(db);
    total += rows.length;
    page.push(...(after === null ? rows : rows.filter((row) => compare(query, row, after) > 0)));
    page = page.sort((a, b) => compare(query, a, b)).slice(0, limit + 1);
    await endTurn();
  }
  const fileIds = page.slice(0, limit).map(({ file_id }) => file_id);
  return { fileIds, next: page.length > limit ? positionOf(page[limit - 1]) : null, count: { total, isMore: false } };
}

async function readInOrder(db: Database, query: LibraryQuery, after: Position | null, limit: number): Promise<Found> {
  const endTurn = takeTurns();
  const found: Row[] = [];
  let from = after;
  const endMs = performance.now() + MAX_READ_MS;
  do {
    const step = rowsAfter(query, from);
    const edge = await sql<Row>`${step} limit 1 offset ${STEP - 1}`.execute(db);
    const { rows } = await sql<Row>`
      select ${columnsOf(query)} ${matching(db, query, sql`${step} limit ${STEP}`)}
      ${orderOf(query)} limit ${limit + 1 - found.length}`.execute(db);
    found.push(...rows);
    from = positionOf(edge.rows[0]);
    await endTurn();
  } while (from !== null && found.length <= limit && performance.now() < endMs);
  const fileIds = found.slice(0, limit).map(({ file_id }) => file_id);
  return { fileIds, next: found.length > limit ? positionOf(found[limit - 1]) : from, count: null };
}

/** The same ids, in one of few lengths: each length is a statement of its own. */
function pad(ids: readonly number[]): number[] {
  const length = [10, 100, STEP].find((each) => each >= ids.length) ?? STEP;
  return Array.from({ length }, (_, at) => ids[Math.min(at, ids.length - 1)] as number);
}

/** An owner's rows in the order that is asked for, after one; an index has all that is selected. */
function rowsAfter(query: LibraryQuery, from: Position | null): RawBuilder<unknown> {
  const column = sql.ref(COLUMNS[query.sort]);
  const operator = query.isDescending ? sql`<` : sql`>`;
  const after = from === null ? sql`` : sql`and (${column}, id) ${operator} (${from.key}, ${from.id})`;
  // Of the files of a dataset, there is no index by size.
  const scope = query.sort === 'created_at' ? scopeOf(query) : sql`owner = ${query.owner}`;
  return sql`select id, ${column} as key from library where ${scope} ${after} ${orderOf(query)}`;
}

/** The rows of a source that match. SQLite reads the source first, because it does not change the order of a cross join. */
function matching(db: Database, query: LibraryQuery, source: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    from (${source}) as source cross join library
    where library.id = source.id and ${sql.join(conditionsOf(db, query), sql` and `)}`;
}

function columnsOf({ sort }: LibraryQuery): RawBuilder<unknown> {
  return sql`library.id, file_id, ${sql.ref(`library.${COLUMNS[sort]}`)} as key`;
}

function orderOf({ sort, isDescending }: LibraryQuery): RawBuilder<unknown> {
  const direction = isDescending ? sql`desc` : sql`asc`;
  return sql`order by ${sql.ref(`library.${COLUMNS[sort]}`)} ${direction}, library.id ${direction}`;
}

function compare({ isDescending }: LibraryQuery, a: Position, b: Position): number {
  const ascending = a.key === b.key ? a.id - b.id : a.key < b.key ? -1 : 1;
  return isDescending ? -ascending : ascending;
}

function positionOf(row: Position | undefined): Position | null {
  return row ? { key: row.key, id: row.id } : null;
}
