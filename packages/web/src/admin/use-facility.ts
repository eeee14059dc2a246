/** What the view of administrators asks the server for. */
import type { DeliveryPage, Overview, OwnedUploadPage, OwnerPage, ScrubReport } from '@cryolift/protocol/messages';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useAccount } from '../services.ts';

/** There are no events about what other owners do. */
const POLL_MS = 10_000;
const UPLOADS = 50;
const DELIVERIES = 20;
const OWNERS = 50;

/** The server checks its own answers; the page and the server have one version. */
function isMessage<Message extends object>(value: unknown): value is Message {
  return typeof value === 'object' && value !== null;
}

function usePolled<Message extends object>(path: string) {
  const { api } = useAccount();
  return useQuery({
    queryKey: ['admin', path],
    queryFn: ({ signal }) => api.call<Message>(isMessage<Message>, 'GET', path, undefined, { signal }),
    refetchInterval: POLL_MS,
  });
}

export const useOverview = () => usePolled<Overview>('/admin/overview');
export const useScrub = () => usePolled<ScrubReport>('/admin/scrub');
export const useDeliveries = () => usePolled<DeliveryPage>(`/webhooks/deliveries?limit=${DELIVERIES}`);
/** Uploads that receive bytes, newest first. */
export const useUploading = () => usePolled<OwnedUploadPage>(`/admin/sessions?status=uploading&limit=${UPLOADS}`);

export function useOwners(sort: 'bytes' | 'name') {
  const { api } = useAccount();
  return useInfiniteQuery({
    queryKey: ['admin', 'owners', sort],
    queryFn: ({ pageParam: cursor, signal }) => {
      const query = new URLSearchParams({ sort, limit: String(OWNERS), ...(cursor ? { cursor } : {}) });
      return api.call<OwnerPage>(isMessage<OwnerPage>, 'GET', `/admin/owners?${query}`, undefined, { signal });
    },
    initialPageParam: '',
    getNextPageParam: ({ next_cursor }) => next_cursor,
    refetchInterval: POLL_MS,
  });
}
