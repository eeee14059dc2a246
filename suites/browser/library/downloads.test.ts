/** Several files are downloaded or linked together. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { sha256Hex } from '../../contract/sample.ts';
import { listFiles } from '../../contract/upload.ts';
import { PageUnderTest } from '../page-under-test.ts';
import { boxOf, openFive, openLibrary, publishAt, waitForNames } from './library-under-test.ts';

const under = await PageUnderTest.start();
after(() => under.discard());

test('selection: links of several files work without a token', async () => {
  const { owner, page } = await openFive(under);
  for (const name of ['5.mrc', '1.mrc']) await boxOf(page, name).check();
  await page.getByRole('button', { name: 'Links' }).click();
  const field = page.getByRole('dialog', { name: 'Links to 2 files' }).getByRole('textbox');
  const urls = (await field.inputValue()).trim().split('\n');
  assert.equal(urls.length, 2);
  const digests = await Promise.all(
    urls.map(async (url) => sha256Hex(Buffer.from(await (await fetch(url)).arrayBuffer()))),
  );
  const files = await listFiles(owner.call);
  assert.deepEqual(digests, [files[0]?.sha256, files[4]?.sha256]);
});

test('selection: a list for aria2 has the selected files only, with path and digest', async () => {
  const { owner, page } = await openFive(under);
  for (const name of ['2.mrc', '1.mrc']) await boxOf(page, name).check();
  await page.getByRole('button', { name: 'Download' }).click();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save the list' }).click(),
  ]);
  const saved = join(under.folder, 'list.txt');
  await download.saveAs(saved);
  const lines = readFileSync(saved, 'utf8').trimEnd().split('\n');
  const files = new Map((await listFiles(owner.call)).map((file) => [file.filename, file]));
  assert.deepEqual(
    lines.filter((line) => line.startsWith(' ')),
    ['2.mrc', '1.mrc'].flatMap((name) => [`  out=s/${name}`, `  checksum=sha-256=${files.get(name)?.sha256}`]),
  );
  for (const url of lines.filter((line) => !line.startsWith(' '))) assert.equal((await fetch(url)).status, 200);
  await page.getByText('aria2c --input-file=cryolift-downloads.txt').waitFor();
  const ids = ['2.mrc', '1.mrc'].map((name) => files.get(name)?.file_id).join(' ');
  assert.equal(
    await page.getByRole('textbox', { name: 'With the command line' }).inputValue(),
    `cryolift download ${ids}`,
  );
});

test('selection: the whole folder is a command with its name', async () => {
  const { page } = await openFive(under);
  await page.getByLabel('With subfolders').check();
  await page.getByRole('checkbox', { name: 'Select all files shown' }).check();
  await page.getByRole('button', { name: 'Download' }).click();
  const command = page.getByRole('textbox', { name: 'With the command line' });
  assert.equal(await command.inputValue(), 'cryolift download -r s');
});

test('selection: a few files are downloaded one after the other, and every byte is checked', async () => {
  const { page } = await openFive(under);
  for (const name of ['5.mrc', '4.mrc']) await boxOf(page, name).check();
  await page.getByRole('button', { name: 'Download' }).click();
  const saved: string[] = [];
  page.on('download', (download) => saved.push(download.suggestedFilename()));
  await page.getByRole('button', { name: 'Download 2 files' }).click();
  await page.getByText('2 of 2 files downloaded. Every byte of them was checked.').waitFor();
  assert.deepEqual(saved, ['5.mrc', '4.mrc']);
});

test('selection: files are saved in a folder, beside those that are there', async () => {
  const owner = under.newOwner();
  await publishAt(owner, 'x/same.mrc');
  await publishAt(owner, 'y/same.mrc');
  const page = await openLibrary(under, owner);
  await page.evaluate(() => {
    // The headless browser has no such dialog.
    window.showDirectoryPicker = async () =>
      await (await navigator.storage.getDirectory()).getDirectoryHandle('chosen', { create: true });
  });
  await page.getByLabel('With subfolders').check();
  await waitForNames(page, ['same.mrc', 'same.mrc']);
  await page.getByRole('checkbox', { name: 'Select all files shown' }).check();
  await page.getByRole('button', { name: 'Download' }).click();
  await page.getByRole('button', { name: 'Download 2 files' }).click();
  await page.getByText('2 of 2 files downloaded.').waitFor();
  const sizes = await page.evaluate(async () => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('chosen');
    const names = ['same.mrc', 'same (2).mrc'];
    return await Promise.all(names.map(async (name) => (await (await folder.getFileHandle(name)).getFile()).size));
  });
  assert.deepEqual(sizes, [5_000, 5_000]);
});
