/** Several files are selected, and deleted together. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { listFiles } from '../../contract/upload.ts';
import { PageUnderTest } from '../page-under-test.ts';
import { boxOf, openFive, publishAt, waitForNames } from './library-under-test.ts';

const under = await PageUnderTest.start();
after(() => under.discard());

test('selection: a range with Shift, and one more, are deleted after a question with their count and size', async () => {
  const { owner, page } = await openFive(under);
  await boxOf(page, '4.mrc').check();
  await boxOf(page, '2.mrc').click({ modifiers: ['Shift'] });
  await boxOf(page, '3.mrc').uncheck();
  await boxOf(page, '1.mrc').check();
  await page.getByText('3 selected, 14.6 KiB').waitFor();
  const bar = page.getByRole('region', { name: 'Selected files' });
  await bar.getByRole('button', { name: 'Delete' }).click();
  const question = page.getByRole('dialog', { name: 'Delete 3 files?' });
  await question.getByText('3 files (14.6 KiB) are deleted from the server for good.').waitFor();
  await question.getByRole('button', { name: 'Keep them' }).click();
  assert.equal((await listFiles(owner.call)).length, 5);
  await bar.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Delete for good' }).click();
  await page.getByText('3 files were deleted.').waitFor();
  await waitForNames(page, ['5.mrc', '3.mrc']);
  await page.getByText(/^2 files ·/).waitFor();
  assert.deepEqual(
    (await listFiles(owner.call)).map(({ filename }) => filename),
    ['5.mrc', '3.mrc'],
  );
  await bar.waitFor({ state: 'detached' });
});

test('selection: what was gone before, and what may not be deleted, is named', async () => {
  const { owner, page } = await openFive(under, async (page) => {
    await page.route('**/events', (route) => route.fulfill({ status: 404, json: { code: 'not_found' } }));
  });
  await page.getByRole('checkbox', { name: 'Select all files shown' }).check();
  const gone = (await listFiles(owner.call)).find(({ filename }) => filename === '2.mrc');
  await owner.call('DELETE', `/files/${gone?.file_id}`);
  const bar = page.getByRole('region', { name: 'Selected files' });
  const deleteAll = async () => {
    await bar.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Delete for good' }).click();
  };
  const envelope = { code: 'forbidden', message: 'The token does not allow this.', hint: 'Ask.', retryable: false };
  await page.route('**/files/delete', (route) =>
    route.fulfill({ status: 403, json: { ...envelope, request_id: 'r' } }),
  );
  await deleteAll();
  const report = page.getByRole('status').filter({ hasText: 'It is not known whether' });
  await report.getByText('The token does not allow this.').waitFor();
  await page.unroute('**/files/delete');
  await deleteAll();
  const end = page.getByRole('status').filter({ hasText: '4 files were deleted.' });
  await end.getByText('1 file was not there any more:').waitFor();
  assert.deepEqual(await end.getByRole('listitem').allInnerTexts(), ['2.mrc']);
  assert.deepEqual(await listFiles(owner.call), []);
});

test('selection: all files that match are selected, also those that are not loaded', async () => {
  const owner = under.newOwner();
  for (let at = 0; at < 3; at++) await publishAt(owner, `f/${at}.mrc`);
  const page = await under.open(owner);
  // Pages of two files.
  await page.route('**/files?*', async (route) => {
    const url = new URL(route.request().url());
    url.searchParams.set('limit', '2');
    if (url.searchParams.has('cursor')) return;
    await route.continue({ url: url.href });
  });
  await page.goto(`${under.server.url}/#files?folder=f`);
  await waitForNames(page, ['2.mrc', '1.mrc']);
  await page.getByRole('checkbox', { name: 'Select all files shown' }).check();
  await page.getByRole('button', { name: 'Select all 3 files' }).click();
  await page.getByText('3 selected, 14.6 KiB').waitFor();
});
