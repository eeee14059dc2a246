/** Lists of ten thousand files. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { makeMrc } from '../contract/sample.ts';
import { publish } from '../contract/upload.ts';
import { PageUnderTest } from './page-under-test.ts';

const FILES = 10_000;

const under = await PageUnderTest.start();
after(() => under.discard());

test('lists: of ten thousand found files a thousand are drawn, and more when the list is scrolled', async () => {
  const owner = under.newOwner();
  const file = await publish(owner.call, makeMrc(5_000), { filename: 'one.mrc' });
  const page = await under.openProfile();
  await page.route('**/files?*', async (route) => {
    const query = new URL(route.request().url()).searchParams;
    const start = Number(query.get('cursor') ?? 0);
    const end = start + Number(query.get('limit'));
    const items = Array.from({ length: Math.min(end, FILES) - start }, (_, index) => {
      const number = String(start + index).padStart(6, '0');
      return { ...file, file_id: `${file.file_id}${number}`, filename: `square_${number}.mrc` };
    });
    await route.fulfill({ json: { items, next_cursor: end < FILES ? String(end) : null } });
  });
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
