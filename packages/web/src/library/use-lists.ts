/** Queries for the server's lists, page by page. */
import type { FileRecord, UploadRecord } from '@cryolift/protocol/messages';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useCell } from '../cell.ts';
import { useAccount } from '../services.ts';
import { applyUpdates, updatesSince } from './list-cache.ts';

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

export function useFiles() {
  const { api, live, queries } = useAccount();
  const isLive = useCell(live.isLive);
  return useInfiniteQuery({
    queryKey: ['files'],
    queryFn: async ({ pageParam: cursor }) => {
      const startedMs = Date.now();
      return applyUpdates(await api.files({ limit: PAGE_ITEMS, ...(cursor ? { cursor } : {}) }), {
        updates: updatesSince<FileRecord>(queries, 'file', startedMs),
        idOf: ({ file_id }) => file_id,
        belongs: () => true,
        isFirst: !cursor,
      });
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next_cursor }) => next_cursor,
    refetchInterval: isLive ? false : POLL_MS,
    ...LONG_LIST_OPTIONS,
  });
}
