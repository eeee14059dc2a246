/** The list of datasets: search, state, pages, and what is missing in each. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { makeDataset, move } from '../../contract/datasets/calls.ts';
import { PageUnderTest } from '../page-under-test.ts';
import { addFile, makeSession, openAt, waitUntilRead } from './datasets-under-test.ts';

const under = await PageUnderTest.start({ CRYOLIFT_ACCEPT: '*' });
after(() => under.discard());

test('datasets: each row says state, place, files, bytes, what is missing, and the last file', async () => {
  const owner = under.newOwner();
  await makeSession(owner);
  const closed = await makeDataset(owner.call, { name: 'closed', expected_files: 2 });
  await addFile(owner, closed, 'a.mrc');
  await waitUntilRead(owner, closed);
  await move(owner.call, closed.dataset_id, 'complete', { force: true });
  await makeDataset(owner.call, { name: 'empty' });
  const page = await under.open(owner);
  await page.getByRole('link', { name: 'Datasets' }).click();
  const row = (name: string) => page.locator('li.dataset', { has: page.getByRole('link', { name, exact: true }) });
  await row('grid 7').getByText('2 missing', { exact: true }).waitFor();
  assert.match(
    (await row('grid 7').textContent()) ?? '',
    /OpenP-118 · Krios 26 of 8 files.*KiB2 missinglast file .*ago/,
  );
  assert.match((await row('closed').textContent()) ?? '', /Complete1 of 2 files.*completed without 1 filelast file/);
  assert.match((await row('empty').textContent()) ?? '', /Open0 files0 Bno file yet/);

  await page.getByRole('searchbox').fill('KRIOS apoferr');
  await row('empty').waitFor({ state: 'detached' });
  assert.equal(await page.locator('li.dataset').count(), 1);
  await page.waitForFunction(() => location.hash.includes('q=KRIOS'));
  await page.getByRole('searchbox').fill('');
  await row('empty').waitFor();
  await page.getByLabel('State').selectOption('Complete');
  await row('empty').waitFor({ state: 'detached' });
  assert.deepEqual(await page.locator('.dataset-name').allTextContents(), ['closed']);
  await page.reload();
  await row('closed').waitFor();
  assert.equal(await page.getByLabel('State').inputValue(), 'complete');
  await page.getByLabel('State').selectOption('Expired');
  await page.getByText('No dataset matches.').waitFor();
});

test('datasets: more than a page of them is listed page by page, and new ones appear by themselves', async () => {
  const owner = under.newOwner();
  for (let number = 1; number <= 51; number++) await makeDataset(owner.call, { name: `d${number}` });
  const page = await openAt(under, owner, '#datasets');
  await page.getByText('51 datasets').waitFor();
  assert.equal(await page.locator('li.dataset').count(), 50);
  await page.getByRole('button', { name: 'Show more' }).click();
  await page.getByRole('link', { name: 'd1', exact: true }).waitFor();
  await page.getByText('Live', { exact: true }).waitFor();
  await makeDataset(owner.call, { name: 'from elsewhere' });
  await page.getByRole('link', { name: 'from elsewhere' }).waitFor();
  await page.getByText('52 datasets').waitFor();
});

test('datasets: one is made with the keyboard', async () => {
  const owner = under.newOwner();
  const page = await openAt(under, owner, '#datasets');
  await page.getByText('No datasets yet').waitFor();
  await page.getByRole('button', { name: 'New dataset' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.type('night 3');
  await page.keyboard.press('Tab');
  await page.keyboard.type('P-9');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.type('40');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: /^night 3/, level: 1 }).waitFor();
  await page.getByText('of 40 expected').waitFor();
  const { items } = (await owner.call('GET', '/datasets')).json<{ items: object[] }>();
  assert.partialDeepStrictEqual(items, [{ name: 'night 3', project: 'P-9', complete_when_whole: true }]);
  await page.goBack();
  await page.getByRole('button', { name: 'New dataset' }).click();
  await page.getByLabel('Name', { exact: true }).fill('night 3');
  await page.getByRole('button', { name: 'Make the dataset' }).click();
  await page.getByRole('alert').getByText('You have a dataset of the name night 3.').waitFor();
});
