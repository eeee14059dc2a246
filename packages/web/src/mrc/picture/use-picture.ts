/** A picture of a file or of an upload, as the server draws it. */
import type { PreviewQuery } from '@cryolift/protocol/messages';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useAccount } from '../../services.ts';
import { slowQuery } from '../slow-query.ts';

/** How long a picture that is not shown is kept: one of each section of a volume would fill the memory. */
const KEPT_MS = 20_000;

export type PictureOf = { readonly fileId: string } | { readonly uploadId: string };

export interface DrawnPicture {
  readonly url: string;
  /** What it shows, which may be what was asked for before. */
  readonly query: PreviewQuery;
}

/**
 * @param query null: none is asked for now; the last one stays.
 * @param version changes when the same query gives another picture.
 */
export function usePicture(of: PictureOf, query: PreviewQuery | null, version = '') {
  const { api } = useAccount();
  const text = JSON.stringify(query);
  const request = useQuery({
    queryKey: ['picture', of, version, text],
    queryFn: async ({ signal }) => {
      const asked = JSON.parse(text) as PreviewQuery;
      const png = await api.preview(of, asked, { signal });
      return { blob: new Blob([png], { type: 'image/png' }), query: asked };
    },
    enabled: query !== null,
    placeholderData: keepPreviousData,
    gcTime: KEPT_MS,
    ...slowQuery,
  });
  return { drawn: useDrawn(request.data), error: request.error, isFetching: request.isFetching };
}

function useDrawn(data: { blob: Blob; query: PreviewQuery } | undefined): DrawnPicture | null {
  const [drawn, setDrawn] = useState<DrawnPicture | null>(null);
  useEffect(() => {
    if (!data) return;
    const url = URL.createObjectURL(data.blob);
    setDrawn({ url, query: data.query });
    return () => URL.revokeObjectURL(url);
  }, [data]);
  return drawn;
}

/** The value, once it has not changed for `ms`. */
export function useSettled<Value>(value: Value, ms: number): Value {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}
