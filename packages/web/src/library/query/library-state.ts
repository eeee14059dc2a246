/** What the library shows: a folder, a search, filters, an order and a view. It is kept in the address. */
import { pathOf } from '@cryolift/protocol/file-path';
import type { FileQuery, FileRecord, ManifestQuery } from '@cryolift/protocol/messages';
import { MRC_KINDS } from '@cryolift/protocol/mrc-kinds';
import { parametersOf } from '../../route.ts';

/** `mdoc`: session data of a microscope, which the server knows as `other`; `other`: no header that can be read. */
export const KINDS = [...MRC_KINDS, 'mdoc', 'other'] as const;
/** In the name of each `mdoc`. */
const MDOC = '.mdoc';
const ORDERS = {
  newest: { sort: 'created_at', order: 'desc' },
  oldest: { sort: 'created_at', order: 'asc' },
  name: { sort: 'filename', order: 'asc' },
  'name-desc': { sort: 'filename', order: 'desc' },
  largest: { sort: 'size', order: 'desc' },
  smallest: { sort: 'size', order: 'asc' },
} as const;
export type Sort = keyof typeof ORDERS;
export const SORTS = Object.keys(ORDERS) as readonly Sort[];
const VIEWS = ['table', 'grid'] as const;

export interface LibraryState {
  /** Without a slash at its end; '' is the root. */
  readonly folder: string;
  /** Id of the dataset whose files are listed; '' for all files. */
  readonly dataset: string;
  readonly q: string;
  /** '' for all. */
  readonly kind: '' | (typeof KINDS)[number];
  readonly instrument: string;
  /** Days in local time, both included: 2026-11-30. */
  readonly since: string;
  readonly until: string;
  /** With the files in the folders below. A search and a filter always find those, too. */
  readonly isDeep: boolean;
  readonly sort: Sort;
  readonly view: (typeof VIEWS)[number];
}

const NAMES = ['dataset', 'folder', 'q', 'kind', 'instrument', 'since', 'until', 'deep', 'sort', 'view'] as const;
const DAY = /^\d{4}-\d\d-\d\d$/;

/** Values that are not known are as if they were not given. */
export function readState(parameters: URLSearchParams): LibraryState {
  const text = (name: (typeof NAMES)[number]) => parameters.get(name) ?? '';
  const day = (name: 'since' | 'until') => (isDay(text(name)) ? text(name) : '');
  const oneOf = <Value extends string>(name: (typeof NAMES)[number], values: readonly Value[]) =>
    values.find((value) => value === text(name));
  return {
    dataset: text('dataset'),
    folder: text('folder'),
    q: text('q'),
    kind: oneOf('kind', KINDS) ?? '',
    instrument: text('instrument'),
    since: day('since'),
    until: day('until'),
    isDeep: text('deep') === '1',
    sort: oneOf('sort', SORTS) ?? 'newest',
    view: oneOf('view', VIEWS) ?? 'table',
  };
}

function isDay(text: string): boolean {
  return DAY.test(text) && !Number.isNaN(Date.parse(text));
}

/** The parameters that differ from the default, always in the same order. */
export function printState(state: LibraryState): URLSearchParams {
  const { isDeep, sort, view, ...texts } = state;
  const given = {
    ...texts,
    deep: isDeep ? '1' : '',
    sort: sort === 'newest' ? '' : sort,
    view: view === 'table' ? '' : view,
  };
  return new URLSearchParams(NAMES.filter((name) => given[name] !== '').map((name) => [name, given[name]]));
}

/** The address of a state. @param fileId of the file that is open; null: none. */
export function libraryHref(state: LibraryState, fileId: string | null = null): string {
  const parameters = printState(state);
  const path = fileId === null ? '#files' : `#files/${encodeURIComponent(fileId)}`;
  return parameters.size === 0 ? path : `${path}?${parameters}`;
}

/** @param hash of the library. @returns it with another state; other parameters stay. */
export function withState(hash: string, state: LibraryState): string {
  const parameters = parametersOf(hash);
  for (const name of NAMES) parameters.delete(name);
  const printed = new URLSearchParams([...printState(state), ...parameters]);
  const [path = ''] = hash.split('?');
  return printed.size === 0 ? path : `${path}?${printed}`;
}

/** States with the same key have the same list. */
export function listKey(state: LibraryState): string {
  return printState({ ...state, q: wordsOf(state.q).join(' '), view: 'table' }).toString();
}

export function stateOfKey(key: string): LibraryState {
  return readState(new URLSearchParams(key));
}

/** How many filters are set, the search not counted. */
export function countFilters({ kind, instrument, since, until }: LibraryState): number {
  return [kind, instrument, since, until].filter((value) => value !== '').length;
}

/** Some files of the folder are left out. */
export function isNarrowed(state: LibraryState): boolean {
  return wordsOf(state.q).length > 0 || countFilters(state) > 0;
}

/** The files in the folders below are listed, too. */
export function isDeepList(state: LibraryState): boolean {
  return state.isDeep || isNarrowed(state);
}

/** What the server is asked for; without a page. */
export function toFileQuery(state: LibraryState): FileQuery {
  return { ...toFilters(state), ...ORDERS[state.sort] };
}

/** What a manifest of the same files is asked for. */
export function toManifestQuery(state: LibraryState): ManifestQuery {
  return { ...toFilters(state), ...(state.dataset && { dataset_id: state.dataset }) };
}

function toFilters(state: LibraryState): Omit<FileQuery, 'sort' | 'order' | 'limit' | 'cursor'> {
  const { folder, instrument, since, until } = state;
  const isMdoc = state.kind === 'mdoc';
  const q = [...wordsOf(state.q), ...(isMdoc ? [MDOC] : [])].join(' ');
  const kind = state.kind === 'mdoc' ? 'other' : state.kind;
  const place = isDeepList(state) ? (folder === '' ? {} : { prefix: `${folder}/` }) : { folder };
  return {
    ...place,
    ...(q && { q }),
    ...(kind && { kind }),
    ...(instrument && { instrument }),
    ...(since && { since: new Date(startOf(since)).toISOString() }),
    ...(until && { until: new Date(endOf(until)).toISOString() }),
  };
}

/** Whether the server would list this file in this state. */
export function isListed(file: FileRecord, state: LibraryState): boolean {
  const path = pathOf(file.filename, file.metadata);
  const { dataset, folder, kind, instrument, since, until } = state;
  if (dataset !== '' && dataset !== file.dataset_id) return false;
  if (isDeepList(state) ? folder !== '' && !path.startsWith(`${folder}/`) : folderOfPath(path) !== folder) return false;
  const kindOfFile = file.mrc?.kind ?? file.tiff?.kind ?? 'other';
  if (kind === 'mdoc' ? !fold(file.filename).includes(MDOC) : kind !== '' && kind !== kindOfFile) return false;
  if (instrument !== '' && instrument !== file.instrument) return false;
  const publishedMs = Date.parse(file.created_at);
  if (since !== '' && publishedMs < startOf(since)) return false;
  if (until !== '' && publishedMs >= endOf(until)) return false;
  const text = fold([path, file.filename, file.instrument ?? '', ...Object.entries(file.metadata).flat()].join('\n'));
  return wordsOf(state.q).every((word) => text.includes(word));
}

/** The folder in a path; '' when there is none. */
function folderOfPath(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function wordsOf(q: string): string[] {
  return fold(q).split(/\s+/u).filter(Boolean);
}

function fold(text: string): string {
  return text.normalize('NFC').toLowerCase();
}

/** The first moment of a day, local time. */
function startOf(day: string): number {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  return new Date(year, month - 1, date).getTime();
}

/** The first moment after a day. */
function endOf(day: string): number {
  const next = new Date(startOf(day));
  next.setDate(next.getDate() + 1);
  return next.getTime();
}
