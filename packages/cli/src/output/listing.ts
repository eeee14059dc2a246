/** Lists that the server gives in pages. */
import type { Api } from '@cryolift/client';
import { EXIT, type ExitCode } from '../process/exit.ts';
import { formatTable } from './format.ts';
import { Output } from './output.ts';

type Page<Item> = { items: Item[]; next_cursor: string | null };

const PAGE = 1000;

/** @param none what a person reads when the list is empty. */
export function printList(
  flags: { json?: boolean },
  items: readonly object[],
  head: string[],
  rows: string[][],
  none: string,
): ExitCode {
  const output = new Output(flags.json);
  for (const item of items) output.event(item);
  output.table(() => (rows.length > 0 ? formatTable([head, ...rows]) : none));
  return EXIT.done;
}

/** All pages of the list at `path`. */
export async function collectPages<Item>(api: Api, path: string): Promise<Item[]> {
  const items: Item[] = [];
  const query = `${path.includes('?') ? '&' : '?'}limit=${PAGE}`;
  for (let cursor: string | null = ''; cursor !== null; ) {
    const at: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page: Page<Item> = await api.call(isObject<Page<Item>>, 'GET', `${path}${query}${at}`);
    for (const item of page.items) items.push(item);
    cursor = page.next_cursor;
  }
  return items;
}

/** The fields of these answers are not checked: they are printed and used for nothing else. */
export const isObject = <Message>(value: unknown): value is Message => typeof value === 'object' && value !== null;
