/** The query cache for the server's lists, and how events change it. */
import type { Api } from '@cryolift/client';
import type { FileRecord, UploadRecord } from '@cryolift/protocol/messages';
import type { InfiniteData, QueryClient } from '@tanstack/react-query';
import type { CloudEvent } from '../live/live-events.ts';
import type { DatasetUpdates } from './dataset-updates.ts';
import type { FileLists } from './query/file-lists.ts';
import { recordUpdate } from './updates.ts';

/** The query key of the storage that the caller uses of their quota. */
export const USAGE_KEY = ['usage'];
const USAGE_EVENTS: readonly string[] = [
  ...['created', 'completed', 'cancelled', 'expired'].map((state) => `cryolift.upload.${state}`),
  'cryolift.file.deleted',
];
/** A part of an upload has arrived. */
const PROGRESS = 'cryolift.upload.progress';

export interface Page<Item> {
  items: Item[];
  next_cursor: string | null;
}
type Pages<Item> = InfiniteData<Page<Item>, unknown>;

export function itemsOf<Item>(data: Pages<Item> | undefined): Item[] {
  return data?.pages.flatMap(({ items }) => items) ?? [];
}

export function putUpload(queries: QueryClient, upload: UploadRecord): void {
  recordUpdate(queries, 'upload', upload.upload_id, upload);
  const isSame = (item: UploadRecord) => item.upload_id === upload.upload_id;
  for (const [key] of queries.getQueriesData<Pages<UploadRecord>>({ queryKey: ['uploads'] })) {
    const belongs = !key[1] || key[1] === upload.status;
    queries.setQueryData<Pages<UploadRecord>>(key, (data) =>
      belongs ? put(data, upload, isSame) : drop(data, isSame),
    );
  }
}

/** What events change. */
export interface Changed {
  readonly queries: QueryClient;
  readonly api: Pick<Api, 'file'>;
  readonly files: FileLists;
  readonly datasets: Pick<DatasetUpdates, 'changed'>;
}

export function updateFromEvent({ queries, api, files, datasets }: Changed, { type, subject, data }: CloudEvent): void {
  const [kind, id = ''] = subject.split('/');
  const datasetId = (data as { readonly dataset_id?: string } | null)?.dataset_id;
  if (datasetId !== undefined && type !== PROGRESS) datasets.changed(datasetId);
  if (USAGE_EVENTS.includes(type)) void queries.invalidateQueries({ queryKey: USAGE_KEY });
  if (type === 'cryolift.file.deleted') files.drop(id);
  else if (type === 'cryolift.file.published') files.put(data as FileRecord);
  // Other events lack what the server adds to a record.
  else if (kind === 'files') {
    if (files.has(id)) readFile(api, files, id);
  } else if (kind === 'uploads') {
    const upload = data as UploadRecord & { readonly file?: FileRecord };
    putUpload(queries, upload);
    if (upload.file) files.put(upload.file);
    else if (upload.status === 'completed' && upload.file_id !== null) readFile(api, files, upload.file_id);
  }
}

/** Reads the full record of a file. An error is ignored: the list of files reports a missing scope itself. */
function readFile(api: Pick<Api, 'file'>, files: FileLists, fileId: string): void {
  api.file(fileId).then(
    (file) => files.put(file),
    () => {},
  );
}

interface Updates<Item> {
  /** By id; null: the item is deleted. */
  readonly updates: ReadonlyMap<string, Item | null>;
  idOf(item: Item): string;
  /** Whether an item belongs into this list. */
  belongs(item: Item): boolean;
  /** New items are added to the first page only. */
  readonly isFirst: boolean;
}

/** Applies the updates that came while the page was fetched: they are newer than the page. */
export function applyUpdates<Item extends { readonly created_at: string }>(
  page: Page<Item>,
  { updates, idOf, belongs, isFirst }: Updates<Item>,
): Page<Item> {
  if (updates.size === 0) return page;
  const known = new Set(page.items.map(idOf));
  const updated = page.items.map((item) => (updates.has(idOf(item)) ? updates.get(idOf(item)) : item));
  const newest = page.items[0]?.created_at ?? '';
  const isNew = (item: Item | null) => item !== null && !known.has(idOf(item)) && item.created_at >= newest;
  const added = isFirst ? [...updates.values()].filter(isNew).reverse() : [];
  return { ...page, items: [...added, ...updated].filter((item) => !!item && belongs(item)) as Item[] };
}

/** Replaces an item in its place, or adds it in front: lists are sorted newest first. */
function put<Item>(
  data: Pages<Item> | undefined,
  item: Item,
  isSame: (item: Item) => boolean,
): Pages<Item> | undefined {
  if (!data) return data;
  const isThere = data.pages.some(({ items }) => items.some(isSame));
  const pages = data.pages.map((page, index) => {
    if (isThere) return { ...page, items: page.items.map((each) => (isSame(each) ? item : each)) };
    return index === 0 ? { ...page, items: [item, ...page.items] } : page;
  });
  return { ...data, pages };
}

function drop<Item>(data: Pages<Item> | undefined, isSame: (item: Item) => boolean): Pages<Item> | undefined {
  if (!data) return data;
  return { ...data, pages: data.pages.map((page) => ({ ...page, items: page.items.filter((each) => !isSame(each)) })) };
}
