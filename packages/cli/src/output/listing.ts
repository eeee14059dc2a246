/** Lists that the server gives in pages. */
import type { Api } from '@cryolift/client';
import { EXIT, type ExitCode } from '../process/exit.ts';
import { collect, type Page } from './collect-pages.ts';
import { formatTable } from './format.ts';
import { Output } from './output.ts';

const PAGE = 1000;

/** @param none the text for an empty list. */
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
  const query = `${path.includes('?') ? '&' : '?'}limit=${PAGE}`;
  return await collect(async (cursor) => {
    const at = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    return await api.call(isPage<Item>, 'GET', `${path}${query}${at}`);
  });
}

/** The fields of the items are not checked: they are printed and used for nothing else. */
const isPage = <Item>(value: unknown): value is Page<Item> =>
  isObject<Page<Item>>(value) &&
  Array.isArray(value.items) &&
  value.items.every(isObject) &&
  (value.next_cursor === null || typeof value.next_cursor === 'string');

export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

export const isObject = <Message>(value: unknown): value is Message => typeof value === 'object' && value !== null;
