/** Each state of the views of datasets: axe finds nothing serious, and nothing is wider than the screen. */
import { after, test } from 'node:test';
import { makeDataset, move } from '../../contract/datasets/calls.ts';
import { assertAccessible } from '../accessible.ts';
import { PageUnderTest } from '../page-under-test.ts';
import { addFile, makeSession, openAt, waitForFigure, waitUntilRead } from './datasets-under-test.ts';

const under = await PageUnderTest.start({ CRYOLIFT_ACCEPT: '*' });
after(() => under.discard());

const owner = under.newOwner();
await makeSession(owner);
const long = await makeDataset(owner.call, {
  name: `${'FoilHole_2071_Data_'.repeat(10)}`,
  project: 'A-project-with-a-name-that-is-long '.repeat(5).trim(),
});
await addFile(owner, long, `${'a-long-folder/'.repeat(9)}${'FoilHole_2071_Data_'.repeat(5)}.mrc`);
await waitUntilRead(owner, long);
await move(owner.call, long.dataset_id, 'complete', { force: true });
// Pictures of the views for people, as `SCREENSHOTS=/tmp/pictures node --test …`.
const { SCREENSHOTS } = process.env;

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [360, 1280]) {
    test(`accessibility: the views of datasets, ${colorScheme}, ${width} pixels`, async () => {
      const options = { colorScheme, reducedMotion: 'reduce', viewport: { width, height: 800 } } as const;
      const page = await openAt(under, owner, '#datasets', { options });
      const check = async (state: string) => {
        if (SCREENSHOTS) {
          await page.screenshot({ path: `${SCREENSHOTS}/${state}-${colorScheme}-${width}.png`, fullPage: true });
        }
        await assertAccessible(page, state);
      };
      await page.getByText('2 missing', { exact: true }).waitFor();
      await check('list');
      await page.getByRole('button', { name: 'New dataset' }).click();
      await page.getByRole('dialog').waitFor();
      await check('new dataset');
      await page.keyboard.press('Escape');
      await page.getByRole('link', { name: 'grid 7' }).click();
      await waitForFigure(page, 'Missing', '1');
      await page.getByText('1 of 1 shown').waitFor();
      await check('dataset');
      await page.getByRole('button', { name: 'Complete', exact: true }).click();
      await page.getByRole('dialog').getByText('m4.mrc', { exact: true }).waitFor();
      await check('question');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Download' }).click();
      await check('download');
      await page.keyboard.press('Escape');
      await page.getByRole('link', { name: 'Show its files' }).click();
      await page.getByText('Files of the dataset').waitFor();
      await page.locator('.folder-name').first().waitFor();
      await check('files');
      await page.goto(`${under.server.url}/#datasets/${long.dataset_id}`);
      await page.getByRole('button', { name: 'Save the receipt' }).waitFor();
      await waitForFigure(page, 'Files', '1');
      await check('complete');
      await page.goto(`${under.server.url}/#upload`);
      await page.getByLabel('Dataset of the files that you add').waitFor();
      await check('upload');
      await page.goto(`${under.server.url}/#datasets?q=nothing+like+this`);
      await page.getByText('No dataset matches.').waitFor();
      await check('nothing found');
      await page.context().close();
    });
  }
}
test('accessibility: before the first dataset, and when the list cannot be read', async () => {
  const page = await openAt(under, under.newOwner(), '#datasets', { options: { reducedMotion: 'reduce' } });
  await page.getByText('No datasets yet').waitFor();
  await assertAccessible(page, 'empty');
  const failure = { code: 'x', message: 'The database is away.', hint: 'Wait.', retryable: true, request_id: 'r' };
  await page.route('**/datasets?*', (route) => route.fulfill({ status: 503, json: failure }));
  await page.getByLabel('State').selectOption('Open');
  await page.getByRole('alert').getByText('The database is away.').waitFor();
  await assertAccessible(page, 'failure');
});
