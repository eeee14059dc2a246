/** Files in folders, and the library of the page. */
import type { FileRecord } from '@cryolift/protocol/messages';
import type { Locator, Page } from 'playwright-core';
import { makeMrc } from '../../contract/sample.ts';
import { publish } from '../../contract/upload.ts';
import type { Owner, PageUnderTest } from '../page-under-test.ts';

/** Publishes a small MRC file. @param path with its folders. */
export async function publishAt(
  { call }: Owner,
  path: string,
  metadata: Record<string, string> = {},
  sizeBytes = 5_000,
): Promise<FileRecord> {
  const filename = path.slice(path.lastIndexOf('/') + 1);
  return await publish(call, makeMrc(sizeBytes), { filename, metadata: { path, ...metadata } });
}

/** Opens the library. @param hash such as `#files?folder=a`. */
export async function openLibrary(under: PageUnderTest, owner: Owner, hash = '#files'): Promise<Page> {
  const page = await under.open(owner);
  await page.goto(`${under.server.url}/${hash}`);
  return page;
}

/** Waits until these files are listed, and no others. */
export async function waitForNames(page: Page, names: readonly string[]): Promise<void> {
  await page.waitForFunction(
    (expected) =>
      [...document.querySelectorAll('.file-link')].map(({ textContent }) => textContent).join('\n') === expected,
    names.join('\n'),
  );
}

/** Five files, the oldest `s/1.mrc`, and the library that shows them, newest first. The browser has no save dialogs. */
export async function openFive(
  under: PageUnderTest,
  change: (page: Page) => Promise<unknown> = async () => {},
): Promise<{ owner: Owner; page: Page }> {
  const owner = under.newOwner();
  for (const name of ['1', '2', '3', '4', '5']) await publishAt(owner, `s/${name}.mrc`);
  const page = await under.open(owner, {
    before: () => ['showDirectoryPicker', 'showSaveFilePicker'].map((dialog) => Reflect.deleteProperty(window, dialog)),
  });
  await change(page);
  await page.goto(`${under.server.url}/#files?folder=s`);
  await waitForNames(page, ['5.mrc', '4.mrc', '3.mrc', '2.mrc', '1.mrc']);
  return { owner, page };
}

/** The check box of a file. */
export function boxOf(page: Page, name: string): Locator {
  return page.getByRole('checkbox', { name: `Select ${name}` });
}
