/** Long lists of files: publishing thousands of files would only test the disk. */
import type { FileRecord } from '@cryolift/protocol/messages';
import type { Page } from 'playwright-core';

const DIGITS = 6;

/** @param index from 0. @returns the name of a file of a long list: square_000000.mrc, square_000001.mrc, … */
export function nameInList(index: number): string {
  return `square_${String(index).padStart(DIGITS, '0')}.mrc`;
}

/**
 * Answers lists of files with copies of one record.
 *
 * @param file a published file named `nameInList(0)`. It is the first of the list: the page adds a file that an event names
 * and the list has not, and the server sends events of this one while it is analysed.
 */
export async function serveLongList(page: Page, file: FileRecord, files: number): Promise<void> {
  await page.route('**/files?*', async (route) => {
    const query = new URL(route.request().url()).searchParams;
    const start = Number(query.get('cursor') ?? 0);
    const end = Math.min(start + Number(query.get('limit')), files);
    const items = Array.from({ length: end - start }, (_, offset) => {
      const filename = nameInList(start + offset);
      const id = filename === file.filename ? file.file_id : `${file.file_id}${start + offset}`;
      return { ...file, file_id: id, filename };
    });
    await route.fulfill({ json: { items, next_cursor: end < files ? String(end) : null } });
  });
}
