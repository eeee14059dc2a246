/** The link of a dataset: a page that opens without a token, and downloads the files. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { makeDataset } from '../../contract/datasets/calls.ts';
import { sha256Hex } from '../../contract/sample.ts';
import { assertAccessible } from '../accessible.ts';
import { PageUnderTest } from '../page-under-test.ts';
import { addFile, openAt } from './datasets-under-test.ts';

const under = await PageUnderTest.start({ CRYOLIFT_ACCEPT: '*' });
after(() => under.discard());

test('share: the link of a dataset opens a page for anybody, with its files to download', async () => {
  const owner = under.newOwner();
  const dataset = await makeDataset(owner.call, { name: 'grid 7' });
  const file = await addFile(owner, dataset, 'Images-Disc1/GridSquare_1/movie_0001_fractions.mrc');
  for (const at of [2, 3, 4])
    await addFile(owner, dataset, `Images-Disc1/GridSquare_${at}/movie_000${at}_fractions.mrc`);
  const page = await openAt(under, owner, `#datasets/${dataset.dataset_id}`);
  await page.getByRole('button', { name: 'Copy a link' }).click();
  const url = await page.locator('.link code').innerText();

  const visitor = await under.openProfile();
  await visitor.goto(url);
  await visitor.getByRole('heading', { name: 'grid 7' }).waitFor();
  await assertAccessible(visitor, 'the page of the link');
  const link = visitor.getByRole('link', { name: 'movie_0001_fractions.mrc' });
  const [download] = await Promise.all([visitor.waitForEvent('download'), link.click()]);
  assert.equal(sha256Hex(await readFile(await download.path())), file.sha256);
  await visitor.setViewportSize({ width: 360, height: 800 });
  await assertAccessible(visitor, 'on a narrow screen');
});
