/** The end of a list that has more items: they are fetched by scrolling or by a click. */
import { useEffect, useRef, useState } from 'react';
import { texts } from '../texts.ts';

/** Rows that are drawn first, and added each time. Tens of thousands of rows block a browser for seconds. */
const ROWS = 1000;

interface Pages {
  readonly hasNextPage: boolean;
  readonly isFetchingNextPage: boolean;
  fetchNextPage(): Promise<unknown>;
}

/** @returns how many rows to draw, and a function that draws more; null when all are drawn. */
export function useRowCount(all: number): [count: number, showMore: (() => void) | null] {
  const [count, setCount] = useState(ROWS);
  return [count, all > count ? () => setCount(count + ROWS) : null];
}

interface NextPageProps {
  readonly pages: Pages;
  /** A search is active: it needs all pages. */
  readonly needsAll: boolean;
  /** Null: all fetched items are drawn. */
  readonly showMore: (() => void) | null;
}

export function NextPage({ pages, needsAll, showMore }: NextPageProps) {
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages;
  const end = useRef<HTMLDivElement>(null);
  const loadMore = useRef(() => {});
  loadMore.current = showMore ?? (() => void fetchNextPage());
  const canLoadMore = showMore !== null || (hasNextPage && !isFetchingNextPage);
  useEffect(() => {
    if (needsAll && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage, needsAll]);
  useEffect(() => {
    // A search fetches the next page without scrolling.
    const isAutomatic = needsAll && showMore === null;
    if (!canLoadMore || isAutomatic || !end.current) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting) loadMore.current();
      },
      { rootMargin: '600px' },
    );
    observer.observe(end.current);
    return () => observer.disconnect();
  });
  if (!hasNextPage && showMore === null) return null;
  return (
    <div ref={end} className="next-page">
      <button type="button" onClick={() => loadMore.current()} disabled={!canLoadMore}>
        {canLoadMore ? texts.more : texts.loading}
      </button>
    </div>
  );
}
