/** The lists of the server, as the page keeps them, and how events change them. */
import type { Api } from '@cryolift/client';
import type { FileRecord, Session } from '@cryolift/protocol/messages';
import { type InfiniteData, type QueryClient, useInfiniteQuery } from '@tanstack/react-query';
import { useCell } from '../cell.ts';
import type { CloudEvent } from '../live/live.ts';
import { useAccount } from '../services.ts';

const PAGE_ITEMS = 200;
/** While nothing is told by events. */
const POLL_MS = 4_000;

interface Page<Item> {
  items: Item[];
  next_cursor: string | null;
}
type Pages<Item> = InfiniteData<Page<Item>, unknown>;

/** @param status '': of any. */
export function useSessions(status: string) {
  const { api, live } = useAccount();
  const isLive = useCell(live.isLive);
  return useInfiniteQuery({
    queryKey: ['sessions', status],
    queryFn: ({ pageParam: cursor }) =>
      api.sessions({ limit: PAGE_ITEMS, ...(status ? { status } : {}), ...(cursor ? { cursor } : {}) }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next_cursor }) => next_cursor,
    refetchInterval: isLive ? false : POLL_MS,
  });
}

export function useFiles() {
  const { api, live } = useAccount();
  const isLive = useCell(live.isLive);
  return useInfiniteQuery({
    queryKey: ['files'],
    queryFn: ({ pageParam: cursor }) => api.files({ limit: PAGE_ITEMS, ...(cursor ? { cursor } : {}) }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next_cursor }) => next_cursor,
    refetchInterval: isLive ? false : POLL_MS,
  });
}

export function itemsOf<Item>(data: Pages<Item> | undefined): Item[] {
  return data?.pages.flatMap(({ items }) => items) ?? [];
}

export function putFile(queries: QueryClient, file: FileRecord): void {
  queries.setQueryData(['file', file.file_id], file);
  queries.setQueryData<Pages<FileRecord>>(['files'], (data) =>
    put(data, file, (item) => item.file_id === file.file_id),
  );
}

export function dropFile(queries: QueryClient, fileId: string): void {
  queries.removeQueries({ queryKey: ['file', fileId] });
  queries.setQueryData<Pages<FileRecord>>(['files'], (data) => drop(data, (item) => item.file_id === fileId));
}

export function putSession(queries: QueryClient, session: Session): void {
  const isSame = (item: Session) => item.upload_id === session.upload_id;
  for (const [key] of queries.getQueriesData<Pages<Session>>({ queryKey: ['sessions'] })) {
    const belongs = !key[1] || key[1] === session.status;
    queries.setQueryData<Pages<Session>>(key, (data) => (belongs ? put(data, session, isSame) : drop(data, isSame)));
  }
}

export function updateFromEvent(queries: QueryClient, api: Api, { type, subject, data }: CloudEvent): void {
  const [kind, id = ''] = subject.split('/');
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
