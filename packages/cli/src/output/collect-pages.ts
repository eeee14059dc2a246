/** Lists of the server, from their first page to their last. */
import { ForeignReplyError } from '@cryolift/client';

export interface Page<Item> {
  readonly items: Item[];
  readonly next_cursor: string | null;
}

/** @throws ForeignReplyError for a list that does not go forward: it would have no end. */
export async function collect<Item>(readPage: (cursor: string | undefined) => Promise<Page<Item>>): Promise<Item[]> {
  const items: Item[] = [];
  const seen = new Set<string>();
  for (let cursor: string | undefined; ; ) {
    const page = await readPage(cursor);
    for (const item of page.items) items.push(item);
    if (page.next_cursor === null) return items;
    if (page.items.length === 0 || seen.has(page.next_cursor)) {
      throw new ForeignReplyError('the server lists without an end');
    }
    cursor = page.next_cursor;
    seen.add(cursor);
  }
}
