/** Files that arrive while the library is open. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import { PageUnderTest } from '../page-under-test.ts';
import { openLibrary, publishAt, waitForNames } from './library-under-test.ts';

const under = await PageUnderTest.start();
after(() => under.discard());

/** Events arrive: a file that is published from now on is not part of a list that was read before. */
async function waitUntilLive(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Activity' }).click();
  await page.getByText('Live', { exact: true }).waitFor();
}

test('arrivals: a file appears in the lists it belongs to, and the sums change', async () => {
  const owner = under.newOwner();
  await publishAt(owner, 's/a.mrc');
  const page = await openLibrary(under, owner, '#activity');
  await waitUntilLive(page);
  await page.goto(`${under.server.url}/#files?folder=s`);
  await waitForNames(page, ['a.mrc']);
  await publishAt(owner, 't/elsewhere.mrc');
  await publishAt(owner, 's/b.mrc');
  await waitForNames(page, ['b.mrc', 'a.mrc']);
  await page.getByText(/^2 files · 9\.77 KiB/).waitFor();
  await page.getByLabel('Order').selectOption('Name, A to Z');
  await waitForNames(page, ['a.mrc', 'b.mrc']);
  await publishAt(owner, 's/aa.mrc');
  await waitForNames(page, ['a.mrc', 'aa.mrc', 'b.mrc']);
  await page.goto(`${under.server.url}/#files`);
  const folders = page.getByRole('list', { name: 'Folders' });
  await folders.getByRole('link', { name: /^s 3 files/ }).waitFor();
  await folders.getByRole('link', { name: /^t 1 file/ }).waitFor();
});

test('arrivals: nothing moves under the pointer: new files wait for a button', async () => {
  const owner = under.newOwner();
  for (let at = 0; at < 30; at++) await publishAt(owner, `${at}.mrc`);
  const page = await openLibrary(under, owner, '#activity');
  await waitUntilLive(page);
  await page.goto(`${under.server.url}/#files`);
  const link = page.getByRole('link', { name: '28.mrc', exact: true });
  await link.hover();
  const before = await link.boundingBox();
  await publishAt(owner, 'new-1.mrc');
  await publishAt(owner, 'new-2.mrc');
  const button = page.getByRole('button', { name: 'Show 2 new files' });
  await button.waitFor();
  assert.deepEqual(await link.boundingBox(), before);
  await button.click();
  await page.getByRole('link', { name: 'new-2.mrc' }).waitFor();
  await button.waitFor({ state: 'detached' });

  // Also while the list is scrolled.
  await page.mouse.move(5, 5);
  await page.evaluate(() => scrollTo(0, 900));
  await page.getByRole('link', { name: '15.mrc', exact: true }).waitFor();
  const scrolled = await page.evaluate(() => scrollY);
  await publishAt(owner, 'new-3.mrc');
  await page.getByRole('button', { name: 'Show 1 new file' }).click();
  await page.getByRole('link', { name: 'new-3.mrc' }).waitFor();
  assert.ok(scrolled > 500);
  assert.equal(await page.evaluate(() => scrollY), 0);
});

test('arrivals: with the pictures, only those on the screen are asked for, in 256 pixels, a few at a time', async () => {
  const owner = under.newOwner();
  for (let at = 0; at < 60; at++) await publishAt(owner, `${String(at).padStart(2, '0')}.mrc`);
  const page = await under.open(owner);
  const asked: string[] = [];
  let running = 0;
  let most = 0;
  await page.route('**/preview?*', async (route) => {
    asked.push(new URL(route.request().url()).search);
    most = Math.max(most, ++running);
    const response = await route.fetch();
    running--;
    await route.fulfill({ response });
  });
  await page.setViewportSize({ width: 500, height: 500 });
  await page.goto(`${under.server.url}/#files?view=grid&sort=name`);
  await page.waitForFunction(() => document.querySelectorAll('.thumbnail img').length >= 6);
  await page.waitForFunction(() => !document.querySelector('.thumbnail[data-state="pending"]'));
  assert.deepEqual([...new Set(asked)], ['?size=256']);
  assert.ok(asked.length < 50, `${asked.length} pictures`);
  assert.ok(most <= 4, `${most} at a time`);
  const size = await page.evaluate(() => (document.querySelector('.thumbnail img') as HTMLImageElement).naturalWidth);
  assert.ok(size > 0 && size <= 256, `${size} pixels`);
});
