/** Long lists of files: publishing thousands of files would only test the disk. */
import type { FileRecord } from '@cryolift/protocol/messages';
import type { Page } from 'playwright-core';

const DIGITS = 6;

/** @param index from 0. @returns the name of a file of a long list: square_000000.mrc, square_000001.mrc, … */
export function nameInList(index: number): string {
  return `square_${String(index).padStart(DIGITS, '0')}.mrc`;
}

/**
 * Answers lists of files, their folder, and searches for names with copies of one record.
 *
 * @param file a published file named `nameInList(0)`. It is the first of the list: the page adds a file that an event names
 * and the list has not, and the server sends events of this one while it is analysed.
 * @param pageItems of an answer; not given: as many as the page asks for.
 */
export async function serveLongList(page: Page, file: FileRecord, files: number, pageItems?: number): Promise<void> {
  const names = Array.from({ length: files }, (_, index) => nameInList(index));
  await page.route('**/files?*', async (route) => {
    const query = new URL(route.request().url()).searchParams;
    const found = names.filter((name) => name.includes(query.get('q') ?? ''));
    const start = Number(query.get('cursor') ?? 0);
    const end = Math.min(start + (pageItems ?? Number(query.get('limit'))), found.length);
    const items = found.slice(start, end).map((filename) => {
      const id = filename === file.filename ? file.file_id : `${file.file_id}${filename}`;
      return { ...file, file_id: id, filename };
    });
    const next_cursor = end < found.length ? String(end) : null;
    await route.fulfill({ json: { items, next_cursor, total: found.length, total_is_more: false } });
  });
  await page.route('**/files/tree?*', async (route) => {
    const sums = { files, bytes: files * file.size, newest_at: file.created_at };
    await route.fulfill({ json: { prefix: '', ...sums, items: [], next_cursor: null } });
  });
}
