/** Queries for the lists of the library, page by page. */
import { Datasets, readTree, searchFiles } from '@cryolift/client';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { useCell } from '../cell.ts';
import { useAccount } from '../services.ts';
import { LONG_LIST_OPTIONS, PAGE_ITEMS, POLL_MS } from './list-options.ts';
import { applyFileUpdates, FILES_KEY, TREE_KEY } from './query/file-lists.ts';
import { type LibraryState, listKey, toFileQuery } from './query/library-state.ts';

/** The files of a state of the library, page by page. */
export function useFiles(state: LibraryState) {
  const { api, live, queries } = useAccount();
  const isLive = useCell(live.isLive);
  return useInfiniteQuery({
    queryKey: [...FILES_KEY, listKey(state)],
    queryFn: async ({ pageParam: cursor, signal }) => {
      const startedMs = Date.now();
      const query = { ...toFileQuery(state), limit: PAGE_ITEMS, ...(cursor ? { cursor } : {}) };
      const { dataset } = state;
      const page = dataset
        ? await new Datasets(api).files(dataset, query, { signal })
        : await searchFiles(api, query, { signal });
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
export function useTree({ dataset, folder }: Pick<LibraryState, 'dataset' | 'folder'>) {
  const { api, live } = useAccount();
  const isLive = useCell(live.isLive);
  return useInfiniteQuery({
    queryKey: [...TREE_KEY, dataset, folder],
    queryFn: async ({ pageParam: cursor, signal }) => {
      const query = { prefix: folder, limit: PAGE_ITEMS, ...(cursor ? { cursor } : {}) };
      return dataset
        ? await new Datasets(api).tree(dataset, query, { signal })
        : await readTree(api, query, { signal });
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next_cursor }) => next_cursor,
    placeholderData: keepPreviousData,
    refetchInterval: isLive ? false : POLL_MS,
    refetchOnWindowFocus: false,
  });
}
