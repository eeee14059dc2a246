/** Queries for the server's lists, page by page. */
import { readTree, searchFiles } from '@cryolift/client';
import type { UploadRecord } from '@cryolift/protocol/messages';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { useCell } from '../cell.ts';
import { useAccount } from '../services.ts';
import { applyUpdates } from './list-cache.ts';
import { applyFileUpdates, FILES_KEY, TREE_KEY } from './query/file-lists.ts';
import { type LibraryState, listKey, toFileQuery } from './query/library-state.ts';
import { updatesSince } from './updates.ts';

const PAGE_ITEMS = 200;
/** While no events arrive. */
const POLL_MS = 4_000;
/** Structural sharing takes longer with each page of a list. */
const LONG_LIST_OPTIONS = { structuralSharing: false } as const;

/** @param status only uploads in this state; '' for all. */
export function useUploads(status: string) {
  const { api, live, queries } = useAccount();
  const isLive = useCell(live.isLive);
  return useInfiniteQuery({
    queryKey: ['uploads', status],
    queryFn: async ({ pageParam: cursor }) => {
      const startedMs = Date.now();
      const query = { limit: PAGE_ITEMS, ...(status ? { status } : {}), ...(cursor ? { cursor } : {}) };
      return applyUpdates(await api.uploads(query), {
        updates: updatesSince<UploadRecord>(queries, 'upload', startedMs),
        idOf: ({ upload_id }) => upload_id,
        belongs: (upload) => !status || upload.status === status,
        isFirst: !cursor,
      });
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next_cursor }) => next_cursor,
    refetchInterval: isLive ? false : POLL_MS,
    ...LONG_LIST_OPTIONS,
  });
}

/** The files of a state of the library, page by page. */
export function useFiles(state: LibraryState) {
  const { api, live, queries } = useAccount();
  const isLive = useCell(live.isLive);
  return useInfiniteQuery({
    queryKey: [...FILES_KEY, listKey(state)],
    queryFn: async ({ pageParam: cursor, signal }) => {
      const startedMs = Date.now();
      const query = { ...toFileQuery(state), limit: PAGE_ITEMS, ...(cursor ? { cursor } : {}) };
      const page = await searchFiles(api, query, { signal });
      return applyFileUpdates(queries, page, { state, startedMs, isFirst: !cursor });
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next_cursor }) => next_cursor,
    placeholderData: keepPreviousData,
    // Events keep the lists up to date. Without them only a list of one page is read again and again.
    staleTime: isLive ? Number.POSITIVE_INFINITY : POLL_MS,
    refetchInterval: ({ state: { data } }) => (isLive || (data?.pages.length ?? 0) > 1 ? false : POLL_MS),
    refetchOnWindowFocus: false,
    ...LONG_LIST_OPTIONS,
  });
}

/** The sums of a folder, and the folders in it, page by page. */
export function useTree(folder: string) {
  const { api, live } = useAccount();
  const isLive = useCell(live.isLive);
  return useInfiniteQuery({
    queryKey: [...TREE_KEY, folder],
    queryFn: async ({ pageParam: cursor, signal }) =>
      await readTree(api, { prefix: folder, limit: PAGE_ITEMS, ...(cursor ? { cursor } : {}) }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next_cursor }) => next_cursor,
    placeholderData: keepPreviousData,
    refetchInterval: isLive ? false : POLL_MS,
    refetchOnWindowFocus: false,
  });
}
