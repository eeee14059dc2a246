/** The library with the keyboard alone. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import { listFiles } from '../../contract/upload.ts';
import { PageUnderTest } from '../page-under-test.ts';
import { publishAt, waitForNames } from './library-under-test.ts';

const under = await PageUnderTest.start();
after(() => under.discard());

/** The text, the label or the value of what has the keyboard. */
async function focused(page: Page): Promise<string> {
  return await page.evaluate(() => {
    const { activeElement: here } = document;
    return here?.getAttribute('aria-label') ?? here?.textContent ?? '';
  });
}

/** Presses Tab until something has the keyboard. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 25; presses++) {
    await page.keyboard.press('Tab');
    if ((await focused(page)) === name) return;
  }
  assert.fail(`Tab does not lead to ${name}, but to ${await focused(page)}`);
}

test('keyboard: search, open, select and delete', async () => {
  const owner = under.newOwner();
  for (const name of ['a', 'b', 'c', 'd', 'other']) await publishAt(owner, `${name}.mrc`, { grid: '7' });
  const page = await under.open(owner);
  await tabTo(page, 'Files');
  await page.keyboard.press('Enter');
  await waitForNames(page, ['other.mrc', 'd.mrc', 'c.mrc', 'b.mrc', 'a.mrc']);
  await tabTo(page, 'Search by name, folder or metadata');
  await page.keyboard.type('.mrc 7');
  await page.getByText('5 files found').waitFor();
  await tabTo(page, 'other.mrc');
  // Tab leads into the list once; the arrows lead through it.
  await page.keyboard.press('ArrowDown');
  await page.waitForFunction(() => document.activeElement?.textContent === 'd.mrc');
  await page.keyboard.press('Enter');
  await page.getByRole('article', { name: 'd.mrc' }).waitFor();
  await page.keyboard.press('Space');
  await page.getByText('1 selected').waitFor();
  await page.keyboard.press('Shift+ArrowDown');
  await page.keyboard.press('Shift+ArrowDown');
  await page.getByText('3 selected').waitFor();
  await page.keyboard.press('Escape');
  await page.getByText('3 selected').waitFor({ state: 'detached' });
  await page.keyboard.press('End');
  await page.waitForFunction(() => document.activeElement?.textContent === 'a.mrc');
  await page.keyboard.press('Space');
  await page.keyboard.press('Delete');
  await page.getByRole('dialog', { name: 'Delete 1 file?' }).waitFor();
  await tabTo(page, 'Delete for good');
  await page.keyboard.press('Enter');
  await page.getByText('1 file was deleted.').waitFor();
  await waitForNames(page, ['other.mrc', 'd.mrc', 'c.mrc', 'b.mrc']);
  assert.equal((await listFiles(owner.call)).length, 4);
});

test('keyboard: in the grid, the arrows lead to the sides and by lines', async () => {
  const owner = under.newOwner();
  for (let at = 0; at < 12; at++) await publishAt(owner, `${String(at).padStart(2, '0')}.mrc`);
  const page = await under.open(owner);
  await page.goto(`${under.server.url}/#files?view=grid&sort=name`);
  await page.getByRole('link', { name: '00.mrc' }).focus();
  const columns = await page.evaluate(() => document.querySelector('.grid-line')?.children.length ?? 0);
  assert.ok(columns > 2 && columns < 12, `${columns} columns`);
  const move = async (key: string, to: number) => {
    await page.keyboard.press(key);
    const name = `${String(to).padStart(2, '0')}.mrc`;
    await page.waitForFunction((expected) => document.activeElement?.textContent === expected, name);
  };
  await move('ArrowRight', 1);
  await move('ArrowDown', 1 + columns);
  await move('ArrowLeft', columns);
  await move('ArrowUp', 0);
  await move('End', 11);
});
