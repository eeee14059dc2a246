/** Each state of the library: axe finds nothing serious, and nothing is wider than the screen. */
import { after, test } from 'node:test';
import { assertAccessible } from '../accessible.ts';
import { PageUnderTest } from '../page-under-test.ts';
import { boxOf, publishAt, waitForNames } from './library-under-test.ts';

const under = await PageUnderTest.start();
after(() => under.discard());

const owner = under.newOwner();
await publishAt(owner, 'session7/grid1/a.mrc');
await publishAt(owner, `${'a-long-folder/'.repeat(9)}${'FoilHole_2071_Data_'.repeat(5)}.mrc`);
await publishAt(owner, 'loose.mrc');

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [360, 1280]) {
    test(`accessibility: the states of the library, ${colorScheme}, ${width} pixels`, async () => {
      const options = { colorScheme, reducedMotion: 'reduce', viewport: { width, height: 800 } } as const;
      const page = await under.openProfile({ options });
      await page.goto(`${under.server.url}/#token=${under.newOwner().token}`);
      await page.getByRole('link', { name: 'Files', exact: true }).click();
      await page.getByText('No files yet').waitFor();
      await assertAccessible(page, 'empty');
      await page.context().close();

      const other = await under.openProfile({ options });
      await other.goto(`${under.server.url}/#token=${owner.token}`);
      await other.getByRole('link', { name: 'Files', exact: true }).click();
      await waitForNames(other, ['loose.mrc']);
      await assertAccessible(other, 'folders');
      await other.getByLabel('With subfolders').check();
      await other.getByRole('button', { name: 'Filters' }).click();
      await other.getByRole('link', { name: 'a.mrc', exact: true }).waitFor();
      await assertAccessible(other, 'table and filters');
      await boxOf(other, 'loose.mrc').check();
      await assertAccessible(other, 'selection');
      await other.getByRole('button', { name: 'Download' }).click();
      await assertAccessible(other, 'downloads');
      await other.keyboard.press('Escape');
      await other.getByRole('button', { name: 'Links' }).click();
      await other.getByText(/^Anybody with a link/).waitFor();
      await assertAccessible(other, 'links');
      await other.keyboard.press('Escape');
      await other.getByRole('link', { name: 'Pictures' }).click();
      await other.waitForFunction(() => document.querySelectorAll('.thumbnail img').length === 3);
      await assertAccessible(other, 'grid');
      await other.getByRole('searchbox').fill('nothing like this');
      await other.getByText('No file matches.').waitFor();
      await assertAccessible(other, 'nothing found');
      const failure = { code: 'x', message: 'The database is away.', hint: 'Wait.', retryable: true, request_id: 'r' };
      await other.route('**/files?*', (route) => route.fulfill({ status: 503, json: failure }));
      await other.getByRole('searchbox').fill('other');
      await other.getByRole('alert').getByText('The database is away.').waitFor();
      await assertAccessible(other, 'failure');
      await other.context().close();
    });
  }
}
