/** Lists of ten thousand files. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { makeMrc } from '../contract/sample.ts';
import { publish } from '../contract/upload.ts';
import { nameInList, serveLongList } from './long-list.ts';
import { PageUnderTest } from './page-under-test.ts';

const FILES = 10_000;

const under = await PageUnderTest.start();
after(() => under.discard());

test('lists: of ten thousand found files a thousand are drawn, and more when the list is scrolled', async () => {
  const owner = under.newOwner();
  const file = await publish(owner.call, makeMrc(5_000), { filename: nameInList(0) });
  const page = await under.openProfile();
  await serveLongList(page, file, FILES);
  await page.goto(`${under.server.url}/#token=${owner.token}`);
  await page.getByRole('navigation').getByRole('link', { name: 'Files' }).click();
  await page.getByText('200 files and more').waitFor();
  const search = page.getByRole('searchbox');
  await search.fill('square');
  await page.getByText('10,000 files', { exact: true }).waitFor();
  const rows = page.locator('.row-link');
  assert.equal(await rows.count(), 1000);
  await rows.last().scrollIntoViewIfNeeded();
  await rows.nth(1999).waitFor({ state: 'attached' });
  await search.fill('square_009999');
  await page.getByText('1 file', { exact: true }).waitFor();
  await rows.click();
  await page.getByRole('article', { name: 'square_009999.mrc' }).waitFor();
});
