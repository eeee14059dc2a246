/** The lists of the server, as the page keeps them, and how events change them. */
import type { Api } from '@cryolift/client';
import type { FileRecord, Session } from '@cryolift/protocol/messages';
import { type InfiniteData, type QueryClient, useInfiniteQuery } from '@tanstack/react-query';
import { useCell } from '../cell.ts';
import type { CloudEvent } from '../live/live.ts';
import { useAccount } from '../services.ts';

const PAGE_ITEMS = 200;
/** What the caller holds, of the quota. */
export const USAGE_KEY = ['usage'];
const CHANGES_USAGE: readonly string[] = [
  ...['created', 'completed', 'cancelled', 'expired'].map((state) => `cryolift.upload.${state}`),
  'cryolift.file.deleted',
];
/** To compare a list with what it was takes longer with each of its pages. */
const LONG_LIST = { structuralSharing: false } as const;
/** While nothing is told by events. */
const POLL_MS = 4_000;

interface Page<Item> {
  items: Item[];
  next_cursor: string | null;
}
type Pages<Item> = InfiniteData<Page<Item>, unknown>;

/** @param status '': of any. */
export function useSessions(status: string) {
  const { api, live, queries } = useAccount();
  const isLive = useCell(live.isLive);
  return useInfiniteQuery({
    queryKey: ['sessions', status],
    queryFn: async ({ pageParam: cursor }) => {
      const startedMs = Date.now();
      const query = { limit: PAGE_ITEMS, ...(status ? { status } : {}), ...(cursor ? { cursor } : {}) };
      const page = await api.sessions(query);
      const belongs = (session: Session) => !status || session.status === status;
      return withNews(
        page,
        newsSince<Session>(queries, 'session', startedMs),
        ({ upload_id }) => upload_id,
        belongs,
        !cursor,
      );
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next_cursor }) => next_cursor,
    refetchInterval: isLive ? false : POLL_MS,
    ...LONG_LIST,
  });
}

export function useFiles() {
  const { api, live, queries } = useAccount();
  const isLive = useCell(live.isLive);
  return useInfiniteQuery({
    queryKey: ['files'],
    queryFn: async ({ pageParam: cursor }) => {
      const startedMs = Date.now();
      const page = await api.files({ limit: PAGE_ITEMS, ...(cursor ? { cursor } : {}) });
      return withNews(
        page,
        newsSince<FileRecord>(queries, 'file', startedMs),
        ({ file_id }) => file_id,
        () => true,
        !cursor,
      );
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next_cursor }) => next_cursor,
    refetchInterval: isLive ? false : POLL_MS,
    ...LONG_LIST,
  });
}

export function itemsOf<Item>(data: Pages<Item> | undefined): Item[] {
  return data?.pages.flatMap(({ items }) => items) ?? [];
}

export function putFile(queries: QueryClient, file: FileRecord): void {
  // An answer from before it was deleted.
  if (queries.getQueryData(newsKey('file', file.file_id)) === null) return;
  note(queries, 'file', file.file_id, file);
  queries.setQueryData(['file', file.file_id], file);
  queries.setQueryData<Pages<FileRecord>>(['files'], (data) =>
    put(data, file, (item) => item.file_id === file.file_id),
  );
}

export function dropFile(queries: QueryClient, fileId: string): void {
  note(queries, 'file', fileId, null);
  queries.removeQueries({ queryKey: ['file', fileId] });
  queries.setQueryData<Pages<FileRecord>>(['files'], (data) => drop(data, (item) => item.file_id === fileId));
}

export function putSession(queries: QueryClient, session: Session): void {
  note(queries, 'session', session.upload_id, session);
  const isSame = (item: Session) => item.upload_id === session.upload_id;
  for (const [key] of queries.getQueriesData<Pages<Session>>({ queryKey: ['sessions'] })) {
    const belongs = !key[1] || key[1] === session.status;
    queries.setQueryData<Pages<Session>>(key, (data) => (belongs ? put(data, session, isSame) : drop(data, isSame)));
  }
}

export function updateFromEvent(queries: QueryClient, api: Api, { type, subject, data }: CloudEvent): void {
  const [kind, id = ''] = subject.split('/');
  if (CHANGES_USAGE.includes(type)) void queries.invalidateQueries({ queryKey: USAGE_KEY });
  if (type === 'cryolift.file.deleted') dropFile(queries, id);
  else if (kind === 'files') readFile(queries, api, id);
  else {
    const session = data as Session;
    putSession(queries, session);
    if (session.status === 'completed' && session.file_id !== null) readFile(queries, api, session.file_id);
  }
}

/** A record says more than an event. Without the scope to read it, the list of files says so itself. */
function readFile(queries: QueryClient, api: Api, fileId: string): void {
  api.file(fileId).then(
    (file) => putFile(queries, file),
    () => {},
  );
}

type Kind = 'file' | 'session';

const newsKey = (kind: Kind, id: string) => ['news', kind, id] as const;

/** What was told of one of them last, for lists that are on their way. @param item null: it is deleted, and no id is used twice. */
function note(queries: QueryClient, kind: Kind, id: string, item: FileRecord | Session | null): void {
  queries.setQueryData(newsKey(kind, id), item);
}

/** By their ids. */
function newsSince<Item>(queries: QueryClient, kind: Kind, startedMs: number): Map<string, Item | null> {
  const found = queries.getQueryCache().findAll({ queryKey: ['news', kind] });
  const fresh = found.filter(({ state }) => state.dataUpdatedAt >= startedMs);
  return new Map(fresh.map(({ queryKey, state }) => [queryKey[2] as string, state.data as Item | null]));
}

/** What was told while a list was on its way is newer than the list. */
function withNews<Item extends { readonly created_at: string }>(
  page: Page<Item>,
  news: Map<string, Item | null>,
  idOf: (item: Item) => string,
  belongs: (item: Item) => boolean,
  isFirst: boolean,
): Page<Item> {
  if (news.size === 0) return page;
  const known = new Set(page.items.map(idOf));
  const updated = page.items.map((item) => (news.has(idOf(item)) ? news.get(idOf(item)) : item));
  const newest = page.items[0]?.created_at ?? '';
  const isNew = (item: Item | null) => item !== null && !known.has(idOf(item)) && item.created_at >= newest;
  const added = isFirst ? [...news.values()].filter(isNew).reverse() : [];
  return { ...page, items: [...added, ...updated].filter((item) => !!item && belongs(item)) as Item[] };
}

/** Where it was, else in front: lists are newest first. */
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
