/** The end of a list that goes on: what follows comes as it is scrolled to, or by a click. */
import { useEffect, useRef, useState } from 'react';
import { texts } from '../texts.ts';

/** Rows that are drawn at first, and that are added each time. A browser stops for seconds over tens of thousands. */
const ROWS = 1000;

interface Pages {
  readonly hasNextPage: boolean;
  readonly isFetchingNextPage: boolean;
  fetchNextPage(): Promise<unknown>;
}

/** @returns how many rows to draw, and what draws more; null when all are drawn. */
export function useRowCount(all: number): [count: number, showMore: (() => void) | null] {
  const [count, setCount] = useState(ROWS);
  return [count, all > count ? () => setCount(count + ROWS) : null];
}

interface NextPageProps {
  readonly pages: Pages;
  /** A search is on, which has to see everything. */
  readonly needsAll: boolean;
  /** Null: all that was fetched is drawn. */
  readonly showMore: (() => void) | null;
}

export function NextPage({ pages, needsAll, showMore }: NextPageProps) {
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages;
  const end = useRef<HTMLDivElement>(null);
  const goOn = useRef(() => {});
  goOn.current = showMore ?? (() => void fetchNextPage());
  const mayGoOn = showMore !== null || (hasNextPage && !isFetchingNextPage);
  useEffect(() => {
    if (needsAll && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage, needsAll]);
  useEffect(() => {
    // Without being scrolled to, a search goes on by itself.
    const isByItself = needsAll && showMore === null;
    if (!mayGoOn || isByItself || !end.current) return;
    const seen = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting) goOn.current();
      },
      { rootMargin: '600px' },
    );
    seen.observe(end.current);
    return () => seen.disconnect();
  });
  if (!hasNextPage && showMore === null) return null;
  return (
    <div ref={end} className="next-page">
      <button type="button" onClick={() => goOn.current()} disabled={!mayGoOn}>
        {mayGoOn ? texts.more : texts.loading}
      </button>
    </div>
  );
}
