/** What a search of the library asks for, as conditions. */
import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../database.ts';
import { dialectOf } from '../dialect.ts';
import { withinLimits } from './entry.ts';

export interface LibraryQuery {
  readonly owner: string;
  /** As `foldText` makes them. Each is in the path, the name or the metadata. */
  readonly words: readonly string[];
  /** With which the path begins, as `cleanPath` makes it, or with a slash at its end; empty: any. */
  readonly prefix: string;
  /** The folder that the file is in itself, as `cleanPath` makes it; empty: in none. Null: any. */
  readonly folder: string | null;
  /** Empty: another type than MRC. Null: any. */
  readonly kind: string | null;
  readonly instrument: string | null;
  /** The dataset that the file belongs to; null: any, or none. */
  readonly dataset: { readonly id: string; readonly files: number } | null;
  readonly minSize: number | null;
  readonly maxSize: number | null;
  /** Published at this time or later, milliseconds since 1970. */
  readonly sinceMs: number | null;
  /** Published before this time. */
  readonly untilMs: number | null;
  readonly sort: SortKey;
  readonly isDescending: boolean;
}

type SortKey = 'created_at' | 'filename' | 'size';

/** The columns that lists are sorted by. Files with equal values are sorted by `id`. */
export const COLUMNS = { created_at: 'created_at', filename: 'name', size: 'size' } as const;

type Condition = RawBuilder<boolean>;

/** The greatest character: no path has it. */
export const LAST = '\u{10FFFF}';

/** What a row has to fulfil, all of it. */
export function conditionsOf(db: Database, query: LibraryQuery): Condition[] {
  const { words, prefix, folder, kind, instrument } = query;
  const { contains } = dialectOf(db).library;
  return [
    sql<boolean>`owner = ${query.owner}`,
    ...(query.dataset === null ? [] : [sql<boolean>`dataset_id = ${query.dataset.id}`]),
    ...words.map((word) => contains(sql.ref('text'), word)),
    ...(prefix === '' ? [] : [beginsWith('path', prefix)]),
    ...(folder === null ? [] : [sql<boolean>`folder = ${withinLimits(folder)}`]),
    ...(folder === null || withinLimits(folder) === folder ? [] : isDirectlyIn(db, folder)),
    ...(kind === null ? [] : [sql<boolean>`kind = ${kind}`]),
    ...(instrument === null ? [] : [sql<boolean>`instrument = ${instrument}`]),
    ...between('size', query.minSize, query.maxSize),
    ...between('created_at', query.sinceMs, query.untilMs === null ? null : query.untilMs - 1),
  ];
}

/** The rows that are searched: those of a dataset, or all of an owner. */
export function scopeOf({ owner, dataset }: LibraryQuery): Condition {
  return dataset === null ? sql<boolean>`owner = ${owner}` : sql<boolean>`dataset_id = ${dataset.id}`;
}

/** All files of a dataset, and no other condition. */
export function isWholeDataset(query: LibraryQuery): boolean {
  const { dataset, words, prefix, folder, kind, instrument, minSize, maxSize, sinceMs, untilMs } = query;
  const filters = [folder, kind, instrument, minSize, maxSize, sinceMs, untilMs];
  return dataset !== null && words.length === 0 && prefix === '' && filters.every((each) => each === null);
}

/** Selects of the ids of rows among which all matching ones are, each found by an index; those of words are no select. */
export function listSources(query: LibraryQuery): RawBuilder<unknown>[] {
  const { owner, folder, kind } = query;
  const select = (...conditions: Condition[]) =>
    sql`select id from library where ${sql.join([sql<boolean>`owner = ${owner}`, ...conditions], sql` and `)}`;
  const sizes = between('size', query.minSize, query.maxSize);
  const times = between('created_at', query.sinceMs, query.untilMs === null ? null : query.untilMs - 1);
  return [
    ...(folder === null ? [] : [select(sql<boolean>`folder = ${withinLimits(folder)}`)]),
    ...(query.prefix === ''
      ? []
      : [
          sql.join(
            foldersOf(query.prefix).map((each) => select(each)),
            sql` union all `,
          ),
        ]),
    ...(kind === null ? [] : [select(sql<boolean>`kind = ${kind}`, ...times)]),
    ...(sizes.length === 0 ? [] : [select(...sizes)]),
    ...(times.length === 0 ? [] : [select(...times)]),
  ];
}

/** The folders in which paths with a prefix are: that of the prefix itself, and those that begin with it. */
function foldersOf(prefix: string): Condition[] {
  const parent = prefix.slice(0, Math.max(0, prefix.lastIndexOf('/')));
  const own = sql<boolean>`folder = ${withinLimits(parent)}`;
  const isWhole = withinLimits(parent) === parent;
  if (!isWhole) return [own];
  return [own, sql<boolean>`folder >= ${prefix} and folder < ${prefix + LAST}`];
}

/** Of a folder beyond the limits, the library knows an ancestor. */
function isDirectlyIn(db: Database, folder: string): Condition[] {
  const name = sql`substr(path, ${Array.from(folder).length + 2})`;
  return [beginsWith('path', `${folder}/`), sql<boolean>`not ${dialectOf(db).library.contains(name, '/')}`];
}

/** Bounds inclusive; null: none. */
function between(column: string, from: number | null, to: number | null): Condition[] {
  return [
    ...(from === null ? [] : [sql<boolean>`${sql.ref(column)} >= ${from}`]),
    ...(to === null ? [] : [sql<boolean>`${sql.ref(column)} <= ${to}`]),
  ];
}

function beginsWith(column: string, prefix: string): Condition {
  return sql<boolean>`substr(${sql.ref(column)}, 1, ${Array.from(prefix).length}) = ${prefix}`;
}
