/** Lists of ten thousand files. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { makeMrc } from '../../contract/sample.ts';
import { publish } from '../../contract/upload.ts';
import { nameInList, serveLongList } from '../long-list.ts';
import { PageUnderTest } from '../page-under-test.ts';

const FILES = 10_000;

const under = await PageUnderTest.start();
after(() => under.discard());

test('lists: of ten thousand files, only those on the screen are in the document', async () => {
  const owner = under.newOwner();
  const file = await publish(owner.call, makeMrc(5_000), { filename: nameInList(0) });
  const page = await under.openProfile();
  await serveLongList(page, file, FILES, 2_500);
  await page.goto(`${under.server.url}/#token=${owner.token}`);
  await page.getByRole('navigation').getByRole('link', { name: 'Files' }).click();
  await page.getByText(/^10,000 files ·/).waitFor();
  const search = page.getByRole('searchbox');
  await search.fill('square');
  await page.getByText('10,000 files found').waitFor();
  const rows = page.locator('.file-link');
  await rows.first().focus();
  // All pages are read on the way to the end.
  while ((await page.getByRole('link', { name: nameInList(FILES - 1) }).count()) === 0)
    await page.keyboard.press('End');
  assert.ok((await rows.count()) < 100, `${await rows.count()} rows`);
  await page.keyboard.press('Home');
  await page.waitForFunction((name) => document.activeElement?.textContent === name, nameInList(0));
  await search.fill('square_009999');
  await page.getByText('1 file found').waitFor();
  await rows.click();
  await page.getByRole('article', { name: 'square_009999.mrc' }).waitFor();
});
