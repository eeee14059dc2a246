/** Reads lists of the server from the first page to the last. */
import { ForeignReplyError } from '@cryolift/client';

export interface Page<Item> {
  readonly items: Item[];
  readonly next_cursor: string | null;
}

/** A search may answer pages without items before it goes on. */
const MOST_EMPTY_PAGES = 1000;

/** @throws ForeignReplyError when a cursor is repeated, or too many pages are empty, because the list would not end. */
export async function collect<Item>(readPage: (cursor: string | undefined) => Promise<Page<Item>>): Promise<Item[]> {
  const items: Item[] = [];
  const cursors = new Set<string>();
  let emptyPages = 0;
  for (let cursor: string | undefined; ; ) {
    const page = await readPage(cursor);
    for (const item of page.items) items.push(item);
    if (page.next_cursor === null) return items;
    if (page.items.length === 0) emptyPages++;
    if (emptyPages > MOST_EMPTY_PAGES || cursors.has(page.next_cursor)) {
      throw new ForeignReplyError('the list of the server does not end');
    }
    cursor = page.next_cursor;
    cursors.add(cursor);
  }
}
