/** The end of a list that goes on: the next page comes as it is scrolled to, or by a click. */
import { useEffect, useRef } from 'react';
import { texts } from '../texts.ts';

interface Pages {
  readonly hasNextPage: boolean;
  readonly isFetchingNextPage: boolean;
  fetchNextPage(): Promise<unknown>;
}

/** @param needsAll a search is on, which has to see everything. */
export function NextPage({ pages, needsAll }: { pages: Pages; needsAll: boolean }) {
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages;
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!hasNextPage || isFetchingNextPage || !end.current) return;
    if (needsAll) {
      void fetchNextPage();
      return;
    }
    const seen = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting) void fetchNextPage();
      },
      { rootMargin: '600px' },
    );
    seen.observe(end.current);
    return () => seen.disconnect();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage, needsAll]);
  if (!hasNextPage) return null;
  return (
    <div ref={end} className="next-page">
      <button type="button" onClick={() => void fetchNextPage()} disabled={isFetchingNextPage}>
        {isFetchingNextPage ? texts.loading : texts.more}
      </button>
    </div>
  );
}
