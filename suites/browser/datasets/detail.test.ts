/** One dataset on the page: what is there and what is missing, live, and everything that can be done with it. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import { makeDataset, move, readDataset } from '../../contract/datasets/calls.ts';
import { open } from '../../contract/upload.ts';
import { PageUnderTest } from '../page-under-test.ts';
import { addFile, makeMovie, makeSession, openAt, waitForFigure, waitUntilRead } from './datasets-under-test.ts';

const under = await PageUnderTest.start({ CRYOLIFT_ACCEPT: '*' });
after(() => under.discard());

async function textsOf(page: Page, list: string): Promise<string[]> {
  const items = page.getByRole('list', { name: list, exact: true }).getByRole('listitem');
  await items.first().waitFor();
  return await items.allTextContents();
}

async function saved(page: Page, button: string): Promise<{ name: string; text: string }> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: button }).click(),
  ]);
  return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') };
}

test('dataset: the lists of what is expected and has arrived, and the gain reference that is turned', async () => {
  const owner = under.newOwner();
  const session = await makeSession(owner);
  const page = await openAt(under, owner, `#datasets/${session.dataset_id}`);
  await waitForFigure(page, 'Files', '6');
  await waitForFigure(page, 'Missing', '1');
  await page.getByText('and 1 wrong').waitFor();
  assert.deepEqual(await textsOf(page, 'Missing'), ['m4.mrcnamed by another file, see which']);
  await page.getByRole('button', { name: 'Wrong: 1' }).click();
  assert.deepEqual(await textsOf(page, 'Wrong'), ['s/m3.mrc99 B expected']);
  await page.getByRole('button', { name: 'Double: 1' }).click();
  assert.deepEqual(await textsOf(page, 'Double'), ['s/m1.mrc2 files have this path']);
  await page.getByRole('button', { name: /^Present: \d$/ }).click();
  await page.getByText(/^\d of \d shown$/).waitFor();
  assert.deepEqual(await textsOf(page, 'Gain references and files of defects'), [
    's/gain.mrcTurned by 90 degrees against the movies.',
  ]);

  await page.getByRole('link', { name: 'Show its files' }).click();
  await page.getByText('Files of the dataset').waitFor();
  await page.getByRole('link', { name: 's', exact: false }).first().waitFor();
  await addFile(owner, session, 'late.mrc');
  await page.getByRole('link', { name: 'late.mrc' }).click();
  await page.getByRole('row', { name: 'Dataset grid 7' }).getByRole('link').click();
  await waitForFigure(page, 'Files', '7');
});

test('dataset: what arrives is counted by itself, and it is completed when nothing is missing', async () => {
  const owner = under.newOwner();
  const dataset = await makeDataset(owner.call, { name: 'live', expected_files: 3 });
  const page = await openAt(under, owner, `#datasets/${dataset.dataset_id}`);
  await waitForFigure(page, 'Files', '0');
  await page.getByText('Live', { exact: true }).waitFor();
  await addFile(owner, dataset, 'a.mrc');
  await waitForFigure(page, 'Files', '1');
  await addFile(owner, dataset, 'b.mrc');
  await waitForFigure(page, 'Files', '2');
  await waitUntilRead(owner, dataset);

  await page.getByRole('button', { name: 'Complete', exact: true }).click();
  const question = page.getByRole('dialog', { name: 'It is not whole' });
  await question.getByText('The dataset is not whole: 1 of its files is missing.').waitFor();
  await page.keyboard.press('Escape');
  await question.waitFor({ state: 'detached' });
  assert.equal((await readDataset(owner.call, dataset.dataset_id)).state, 'open');
  await addFile(owner, dataset, 'c.mrc');
  await waitForFigure(page, 'Missing', '0');
  await waitUntilRead(owner, dataset);
  await page.getByRole('button', { name: 'Complete', exact: true }).click();
  await page.locator('h1 .badge', { hasText: 'Complete' }).waitFor();

  await page.getByRole('button', { name: 'Reopen' }).click();
  await page.locator('h1 .badge', { hasText: 'Open' }).waitFor();
  // Somebody else completes it.
  await move(owner.call, dataset.dataset_id, 'complete');
  await page.locator('h1 .badge', { hasText: 'Complete' }).waitFor();
  await page.getByRole('button', { name: 'Release' }).click();
  await page.getByRole('button', { name: 'Release it' }).click();
  await page.locator('h1 .badge', { hasText: 'Released' }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Reopen' }).count(), 0);
});

test('dataset: it is completed with force, which stays in sight; its receipt and its lists of downloads are saved', async () => {
  const owner = under.newOwner();
  const session = await makeSession(owner, 'night / 3');
  const orphan = await open(owner.call, { dataset_id: session.dataset_id, metadata: { path: 's/m9.mrc' } });
  const page = await openAt(under, owner, `#datasets/${session.dataset_id}`);
  await page.getByRole('button', { name: 'Complete', exact: true }).click();
  await page.getByRole('dialog').getByText('m4.mrc', { exact: true }).waitFor();
  const uploads = page.getByRole('list', { name: 'Uploads that had not ended' });
  await uploads.getByText(`upload ${orphan.upload_id}`).waitFor();
  await page.getByRole('button', { name: 'Complete it all the same' }).click();
  await page
    .getByText(/completed this dataset on .* although 2 files were missing or wrong and 1 upload had not ended/)
    .waitFor();
  await uploads.getByText(`upload ${orphan.upload_id}`).waitFor();
  const receipt = await saved(page, 'Save the receipt');
  assert.equal(receipt.name, 'night-3-receipt.json');
  assert.equal(receipt.text, (await owner.call('GET', `/datasets/${session.dataset_id}/receipt`)).body.toString());
  assert.equal(
    await page.getByRole('textbox', { name: 'Command that checks a folder' }).inputValue(),
    'cryolift verify --receipt night-3-receipt.json night-3',
  );

  await page.getByRole('button', { name: 'Download' }).click();
  const aria2 = await saved(page, 'Save the list');
  assert.equal(aria2.name, 'night-3-aria2.txt');
  assert.equal(aria2.text.match(/^ {2}checksum=sha-256=/gm)?.length, 6);
  const [url = ''] = aria2.text.split('\n');
  assert.equal((await fetch(url)).status, 200);
  await page.getByLabel('With the command line', { exact: true }).waitFor();
});

test('dataset: the receipt is waited for while it is being signed', async () => {
  const owner = under.newOwner();
  const dataset = await makeDataset(owner.call, { name: 'signed' });
  await addFile(owner, dataset, 'a.mrc');
  await waitUntilRead(owner, dataset);
  const page = await openAt(under, owner, `#datasets/${dataset.dataset_id}`);
  const refusal = { code: 'receipt_not_ready', message: 'Not yet.', hint: 'Wait.', retryable: true, request_id: 'r' };
  await page.route('**/receipt', (route) => route.fulfill({ status: 503, json: refusal }));
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Sign and save a receipt now' }).click();
  await page.getByText('The receipt is being signed …').waitFor();
  await page.unroute('**/receipt');
  await download;
  await page.getByText('signed-receipt.json was saved.').waitFor();
});

test('dataset: it is deleted after a question, and one that is gone says so', async () => {
  const owner = under.newOwner();
  const dataset = await makeDataset(owner.call, { name: 'old' });
  await addFile(owner, dataset, 'a.mrc', makeMovie());
  const page = await openAt(under, owner, `#datasets/${dataset.dataset_id}`);
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByText(/^old is deleted with its 1 file \(/).waitFor();
  await page.getByRole('button', { name: 'Keep it' }).click();
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Delete for good' }).click();
  await page.getByText('No datasets yet').waitFor();
  assert.equal((await owner.call('GET', `/datasets/${dataset.dataset_id}`)).status, 404);
  await page.goto(`${under.server.url}/#datasets/${dataset.dataset_id}`);
  await page
    .getByRole('alert')
    .getByText(/^There is no dataset/)
    .waitFor();
});
