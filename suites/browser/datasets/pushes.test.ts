/** Pushes on the page: begun, cancelled and begun again with the keyboard, live, and only by callers who may. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import { makeDataset, move } from '../../contract/datasets/calls.ts';
import { writeDestinations } from '../../pushes/site.ts';
import { startServer } from '../../server-under-test.ts';
import { assertAccessible } from '../accessible.ts';
import { PageUnderTest } from '../page-under-test.ts';
import { addFile, openAt, waitUntilRead } from './datasets-under-test.ts';

const there = await startServer();
after(() => there.discard());
const token = there.token({ sub: 'robot', scope: 'uploads:write files:read' });
const destinations = {
  archive: { kind: 'cryolift', url: there.url, token },
  away: { kind: 'cryolift', url: `http://127.0.0.1:${await findClosedPort()}`, token },
};
const under = await PageUnderTest.start({
  CRYOLIFT_ACCEPT: '*',
  CRYOLIFT_DESTINATIONS: writeDestinations({ after }, destinations),
});
after(() => under.discard());
// Pictures for people, as `SCREENSHOTS=/tmp/pictures node --test …`.
const { SCREENSHOTS } = process.env;

async function findClosedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** @returns its name that assistive technology reads. */
async function focused(page: Page): Promise<string> {
  return await page.evaluate(() => {
    const element = document.activeElement;
    return element?.getAttribute('aria-label') ?? element?.textContent ?? '';
  });
}

async function check(page: Page, state: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [360, 1280]) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.setViewportSize({ width, height: 800 });
      await assertAccessible(page, `${state}, ${colorScheme}, ${width} pixels`);
      if (!SCREENSHOTS) continue;
      await page.screenshot({ path: `${SCREENSHOTS}/${state}-${colorScheme}-${width}.png`, fullPage: true });
    }
  }
}

test('pushes: are begun, cancelled and begun again with the keyboard, and their end arrives by itself', async () => {
  const owner = under.newOwner();
  const dataset = await makeDataset(owner.call, { name: 'grid 7' });
  for (const name of ['a.mrc', 'b.mrc']) await addFile(owner, dataset, name);
  await waitUntilRead(owner, dataset);
  const page = await openAt(under, owner, `#datasets/${dataset.dataset_id}`, { options: { reducedMotion: 'reduce' } });
  await page.getByRole('heading', { name: 'Receipt' }).waitFor();
  const section = page.getByRole('region', { name: 'Copies at other places' });
  assert.equal(await section.count(), 0, 'an open dataset is not pushed');
  await move(owner.call, dataset.dataset_id, 'complete');
  await page.getByLabel('Destination').focus();
  assert.deepEqual(await section.getByRole('option').allTextContents(), ['archive (Cryolift)', 'away (Cryolift)']);
  await page.keyboard.type('aw');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  const away = section.getByRole('listitem').filter({ hasText: 'away' });
  await away.getByText('The server tries again by itself.').waitFor();
  await check(page, 'pushes-waiting');
  await away.getByRole('button', { name: 'Cancel: away' }).focus();
  await page.keyboard.press('Enter');
  await away.getByRole('status').filter({ hasText: 'Cancelled' }).waitFor();
  assert.equal(await focused(page), 'Push again: away');
  await page.keyboard.press('Space');
  await away.getByRole('button', { name: 'Cancel: away' }).waitFor();
  await page.getByLabel('Destination').selectOption('archive');
  await section.getByRole('button', { name: 'Push', exact: true }).click();
  const archive = section.getByRole('listitem').filter({ hasText: 'archive' });
  await archive.getByRole('status').filter({ hasText: 'Done' }).waitFor();
  await archive.getByText('2 of 2 files').waitFor();
  assert.equal(await archive.getByRole('button').count(), 0);
  await page.getByLabel('Folder in it').fill('../up');
  await section.getByRole('button', { name: 'Push', exact: true }).click();
  await section.getByRole('alert').waitFor();
  await check(page, 'pushes-done');

  const reader = under.newOwner({ sub: subjectOf(owner.token), scope: 'files:read' });
  const seen = await openAt(under, reader, `#datasets/${dataset.dataset_id}`);
  const list = seen.getByRole('region', { name: 'Copies at other places' });
  await list.getByText('2 of 2 files').waitFor();
  assert.deepEqual([await list.getByRole('button').count(), await list.getByLabel('Destination').count()], [0, 0]);
  assert.deepEqual(under.faults, []);
});

function subjectOf(jwt: string): string {
  return (JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()) as { sub: string }).sub;
}
