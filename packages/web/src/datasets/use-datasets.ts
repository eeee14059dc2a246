/** Queries about datasets. Events read them again: see `library/dataset-updates.ts`. */
import { Datasets } from '@cryolift/client';
import type { CheckQuery, DatasetCheck, DatasetRecord, PushRecord } from '@cryolift/protocol/messages';
import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useCell } from '../cell.ts';
import { CHECK_KEY, DATASET_KEY, DATASETS_KEY, PUSHES_KEY } from '../library/dataset-updates.ts';
import { useAccount } from '../services.ts';
import { Turns } from '../turns.ts';

const PAGE_ITEMS = 50;
const CHECK_ITEMS = 100;
/** While no events arrive. */
const [POLL_MS, POLL_CHECK_MS] = [4_000, 10_000];
/** Only the end of a push emits an event. While one is under way, and otherwise. */
const [PUSH_MS, PUSHES_MS] = [2_000, 15_000];
const LIVE_PUSHES: readonly PushRecord['state'][] = ['waiting', 'running'];
/** Comparisons at the same time: they share the connections of the browser with uploads. */
const turns = new Turns(2);

export function useDatasetsApi(): Datasets {
  const { api } = useAccount();
  return useMemo(() => new Datasets(api), [api]);
}

/** What a query does while no events arrive. */
function usePolling(ms: number) {
  const { live } = useAccount();
  return { refetchInterval: useCell(live.isLive) ? (false as const) : ms };
}

/** The datasets of the caller, newest first, page by page. */
export function useDatasetList({ q, state }: { q: string; state: DatasetRecord['state'] | '' }) {
  const datasets = useDatasetsApi();
  return useInfiniteQuery({
    queryKey: [DATASETS_KEY, 'list', q, state],
    queryFn: ({ pageParam: cursor, signal }) =>
      datasets.list(
        { limit: PAGE_ITEMS, ...(q ? { q } : {}), ...(state ? { state } : {}), ...(cursor ? { cursor } : {}) },
        { signal },
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next_cursor }) => next_cursor,
    placeholderData: keepPreviousData,
    ...usePolling(POLL_MS),
  });
}

/** The newest open datasets. @param limit at most so many. */
export function useOpenDatasets(limit: number) {
  const datasets = useDatasetsApi();
  return useQuery({
    queryKey: [DATASETS_KEY, 'open', limit],
    queryFn: ({ signal }) => datasets.list({ state: 'open', limit }, { signal }),
    ...usePolling(POLL_CHECK_MS),
  });
}

export function useDataset(id: string) {
  const datasets = useDatasetsApi();
  return useQuery({
    queryKey: [DATASET_KEY, id],
    queryFn: ({ signal }) => datasets.read(id, { signal }),
    ...usePolling(POLL_MS),
  });
}

/** How many files are missing, wrong and so on. */
export function useCounts(id: string, enabled = true) {
  const datasets = useDatasetsApi();
  return useQuery({
    queryKey: [CHECK_KEY, id, 'counts'],
    queryFn: ({ signal }): Promise<DatasetCheck> =>
      turns.take(signal, () => datasets.check(id, { limit: 1 }, { signal })),
    placeholderData: keepPreviousData,
    enabled,
    ...usePolling(POLL_CHECK_MS),
  });
}

/** One list of the comparison, page by page. */
export function useCheckList(id: string, list: NonNullable<CheckQuery['list']>) {
  const datasets = useDatasetsApi();
  return useInfiniteQuery({
    queryKey: [CHECK_KEY, id, 'list', list],
    queryFn: ({ pageParam: cursor, signal }) =>
      datasets.check(id, { list, limit: CHECK_ITEMS, ...(cursor ? { cursor } : {}) }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next_cursor }) => next_cursor,
    ...usePolling(POLL_CHECK_MS),
  });
}

/** The pushes of a dataset, the newest first. */
export function usePushes(id: string) {
  const datasets = useDatasetsApi();
  return useQuery({
    queryKey: [PUSHES_KEY, id],
    queryFn: ({ signal }) => datasets.pushes(id, { signal }),
    refetchInterval: ({ state: { data } }) =>
      data?.some(({ state }) => LIVE_PUSHES.includes(state)) ? PUSH_MS : PUSHES_MS,
  });
}

/** Where the caller may push datasets to. */
export function useDestinations(enabled: boolean) {
  const datasets = useDatasetsApi();
  return useQuery({
    queryKey: ['destinations'],
    queryFn: ({ signal }) => datasets.destinations({ signal }),
    enabled,
  });
}

/** The newer record, which an answer brings. */
export function useShowRecord(): (dataset: DatasetRecord) => void {
  const queries = useQueryClient();
  const { datasets } = useAccount();
  return (dataset) => {
    queries.setQueryData([DATASET_KEY, dataset.dataset_id], dataset);
    datasets.changed(dataset.dataset_id);
  };
}
