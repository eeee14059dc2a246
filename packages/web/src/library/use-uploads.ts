/** The query for the server's list of uploads, page by page. */
import type { UploadRecord } from '@cryolift/protocol/messages';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useCell } from '../cell.ts';
import { useAccount } from '../services.ts';
import { applyUpdates } from './list-cache.ts';
import { LONG_LIST_OPTIONS, PAGE_ITEMS, POLL_MS } from './list-options.ts';
import { updatesSince } from './updates.ts';

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
