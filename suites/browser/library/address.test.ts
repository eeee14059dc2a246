/** The address has the state of the library: folder, search, filters, order, view, and the file that is open. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { PageUnderTest } from '../page-under-test.ts';
import { openLibrary, publishAt, waitForNames } from './library-under-test.ts';

const under = await PageUnderTest.start();
after(() => under.discard());

const owner = under.newOwner();
await publishAt(owner, 'session7/grid1/b.mrc', { instrument: 'krios-1' });
await publishAt(owner, 'session7/grid1/a.mrc', { instrument: 'krios-2' }, 9_000);
await publishAt(owner, 'session7/grid2/c.mrc');
await publishAt(owner, 'loose.mrc');

test('address: folders lead down and up, with their sums, and Back leads to the folder before', async () => {
  const page = await openLibrary(under, owner);
  await waitForNames(page, ['loose.mrc']);
  const folders = page.getByRole('list', { name: 'Folders' });
  await folders.getByRole('link', { name: /^session7 3 files 18\.6 KiB newest / }).click();
  await folders.getByRole('link', { name: /^grid1 2 files/ }).click();
  await waitForNames(page, ['a.mrc', 'b.mrc']);
  await page.getByText(/^2 files · 13\.7 KiB · newest /).waitFor();
  assert.equal(new URL(page.url()).hash, '#files?folder=session7%2Fgrid1');
  await page.goBack();
  await folders.getByRole('link', { name: /^grid2/ }).waitFor();
  await page.goForward();
  await waitForNames(page, ['a.mrc', 'b.mrc']);
  await page.getByRole('navigation', { name: 'Folder' }).getByRole('link', { name: 'session7' }).click();
  await folders.getByRole('link', { name: /^grid2/ }).waitFor();
  await page.getByLabel('With subfolders').check();
  await waitForNames(page, ['c.mrc', 'a.mrc', 'b.mrc']);
});

test('address: a reload and a copied address give the same view', async () => {
  const page = await openLibrary(under, owner, '#files?folder=session7');
  await page.getByRole('searchbox').fill('grid1');
  await waitForNames(page, ['a.mrc', 'b.mrc']);
  await page.getByLabel('Order').selectOption('Name, Z to A');
  await waitForNames(page, ['b.mrc', 'a.mrc']);
  await page.getByRole('link', { name: 'Pictures' }).click();
  await page.getByRole('list', { name: 'Files' }).waitFor();
  await page.getByRole('link', { name: 'b.mrc' }).click();
  await page.getByRole('article', { name: 'b.mrc' }).waitFor();
  const assertSame = async (other: typeof page) => {
    await other.getByRole('article', { name: 'b.mrc' }).waitFor();
    await waitForNames(other, ['b.mrc', 'a.mrc']);
    await other.getByRole('list', { name: 'Files' }).waitFor();
    assert.equal(await other.getByRole('searchbox').inputValue(), 'grid1');
    assert.equal(await other.getByLabel('Order').inputValue(), 'name-desc');
    assert.equal(await other.getByRole('navigation', { name: 'Folder' }).innerText(), 'All files / session7');
  };
  const url = page.url();
  await page.reload();
  await assertSame(page);
  const copy = await under.open(owner);
  await copy.goto(url);
  await assertSame(copy);
  await page.goBack();
  await page.getByRole('article').waitFor({ state: 'detached' });
  await waitForNames(page, ['b.mrc', 'a.mrc']);
});

test('address: filters by kind, instrument and day are kept, and cleared together', async () => {
  const page = await openLibrary(under, owner);
  await page.getByRole('button', { name: 'Filters' }).click();
  await page.getByLabel('Instrument').fill('krios-2');
  await waitForNames(page, ['a.mrc']);
  const today = new Date();
  const day = (shift: number) =>
    new Date(today.getFullYear(), today.getMonth(), today.getDate() + shift, 12).toISOString().slice(0, 10);
  await page.getByLabel('From (day)').fill(day(0));
  await page.getByLabel('To (day)').fill(day(0));
  await waitForNames(page, ['a.mrc']);
  await page.getByRole('button', { name: /^Filters\s*3$/ }).waitFor();
  await page.getByLabel('To (day)').fill(day(-1));
  await page.getByText('No file matches.').waitFor();
  await page.reload();
  await page.getByText('No file matches.').waitFor();
  assert.equal(await page.getByLabel('Instrument').inputValue(), 'krios-2');
  await page.getByRole('link', { name: 'Clear search and filters' }).click();
  await waitForNames(page, ['loose.mrc']);
  assert.equal(new URL(page.url()).hash, '#files');
});

test('address: what is typed quickly is written to the address before the page is left', async () => {
  const page = await openLibrary(under, owner);
  await page.getByRole('searchbox').pressSequentially('grid2 c', { delay: 5 });
  await waitForNames(page, ['c.mrc']);
  await page.reload();
  assert.equal(new URL(page.url()).hash, '#files?q=grid2+c');
  await waitForNames(page, ['c.mrc']);
  await page.getByRole('searchbox').fill('');
  await waitForNames(page, ['loose.mrc']);
  await page.getByRole('link', { name: 'loose.mrc' }).click();
  await page.getByRole('article', { name: 'loose.mrc' }).waitFor();
  assert.doesNotMatch(page.url(), /q=/);
});

test('address: the name of a file is never shortened, its folder is', async () => {
  const name = `${'FoilHole_20718923_Data_'.repeat(6)}.mrc`;
  const person = under.newOwner();
  await publishAt(person, `${'a-long-folder/'.repeat(20)}${name}`);
  const page = await openLibrary(under, person, '#files?deep=1');
  for (const width of [1280, 360]) {
    await page.setViewportSize({ width, height: 800 });
    const link = page.getByRole('link', { name });
    await link.waitFor();
    const [nameCut, folderCut] = await page.evaluate(() =>
      ['.file-name', '.file-folder'].map((part) => {
        const box = document.querySelector(part) as HTMLElement;
        return box.scrollWidth > box.clientWidth;
      }),
    );
    assert.deepEqual([nameCut, folderCut], [false, true], `${width} pixels`);
    assert.equal(await link.innerText(), name);
  }
});
