/** The dataset that files belong to which are added on the page, and what the page says of a file in a dataset. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { FileRecord } from '@cryolift/protocol/messages';
import { makeDataset, move, readDataset } from '../../contract/datasets/calls.ts';
import { drop, PageUnderTest, uploadRow, writeMrc } from '../page-under-test.ts';
import { makeSession, openAt } from './datasets-under-test.ts';

const under = await PageUnderTest.start({ CRYOLIFT_ACCEPT: '*' });
after(() => under.discard());

test('choice: files that are added go to the chosen dataset, and later ones to none', async () => {
  const owner = under.newOwner();
  const dataset = await makeDataset(owner.call, { name: 'grid 7' });
  const page = await under.open(owner);
  const choice = page.getByLabel('Dataset of the files that you add');
  await choice.selectOption('grid 7');
  await drop(page, [writeMrc(under.folder, 'in.mrc', 1)]);
  await uploadRow(page, 'in.mrc').getByText('to grid 7').waitFor();
  await choice.selectOption('None');
  await drop(page, [writeMrc(under.folder, 'out.mrc', 1)]);
  await uploadRow(page, 'in.mrc', 'done').waitFor();
  await uploadRow(page, 'out.mrc', 'done').waitFor();
  const { items } = (await owner.call('GET', '/files')).json<{ items: FileRecord[] }>();
  const datasets = Object.fromEntries(items.map(({ filename, dataset_id }) => [filename, dataset_id]));
  assert.deepEqual(datasets, { 'in.mrc': dataset.dataset_id, 'out.mrc': undefined });
  assert.equal((await readDataset(owner.call, dataset.dataset_id)).files, 1);
});

test('choice: the view of a dataset leads to it, and a dataset that is completed is chosen no more', async () => {
  const owner = under.newOwner();
  const dataset = await makeDataset(owner.call, { name: 'night 3' });
  const page = await openAt(under, owner, `#datasets/${dataset.dataset_id}`);
  await page.getByText('Live', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Add files' }).click();
  const choice = page.getByLabel('Dataset of the files that you add');
  await choice.waitFor();
  assert.equal(await choice.inputValue(), 'night 3');
  await move(owner.call, dataset.dataset_id, 'complete');
  await page.getByText('night 3 takes no files any more. Choose another dataset.').waitFor();
  assert.equal(await choice.inputValue(), '');
});

test('file: it names its dataset, and an .mdoc file its further keys', async () => {
  const owner = under.newOwner();
  const session = await makeSession(owner, 'night 4');
  const { items } = (await owner.call('GET', '/files?q=session.mdoc')).json<{ items: FileRecord[] }>();
  const page = await openAt(under, owner, `#files/${items[0]?.file_id}`);
  await page.getByText('1 further key').click();
  await page.getByRole('row', { name: 'Note n0 · n1 · n2' }).waitFor();
  const link = page.getByRole('row', { name: 'Dataset night 4' }).getByRole('link');
  assert.equal(await link.getAttribute('href'), `#datasets/${session.dataset_id}`);
});
