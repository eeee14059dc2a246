/** The list of uploads with hundreds of files, and what its total says. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import { makeMrc } from '../../contract/sample.ts';
import { assertAccessible } from '../accessible.ts';
import {
  drop,
  PageUnderTest,
  SLOW,
  signOut,
  throttle,
  uploadRow,
  waitForParts,
  writeLongMrc,
  writeMrc,
} from '../page-under-test.ts';

const FILES = 120;
/** Rows that are drawn of those that are under way and queued, and rows that a click adds. */
const [DRAWN, MORE] = [13, 25];

const under = await PageUnderTest.start();
after(() => under.discard());

function writeSession(name: string, files: number): string {
  const folder = join(under.folder, name);
  mkdirSync(folder);
  for (let index = 0; index < files; index++) writeFileSync(join(folder, `${index}.mrc`), makeMrc(5_000));
  return folder;
}

const total = (page: Page) => page.getByRole('region', { name: 'All uploads' });

test(`many files: of ${FILES} files a part is drawn, the done ones are one line, and the failed ones are on top`, async () => {
  const owner = under.newOwner();
  const page = await under.open(owner);
  let isHeld = true;
  const released = Promise.withResolvers<void>();
  let failing = 3;
  await page.route('**/uploads/init', async (route) => {
    if (isHeld) await released.promise;
    if (failing-- <= 0) return await route.fallback();
    const json = { code: 'forbidden', message: 'Not now.', hint: 'h', retryable: false, request_id: 'r', details: {} };
    await route.fulfill({ status: 403, json });
  });
  await drop(page, [writeSession('session', FILES)]);
  // Sixteen small files travel at once.
  await page.getByRole('heading', { name: `${FILES - 16} queued` }).waitFor();
  assert.equal(await page.locator('li.upload').count(), DRAWN);
  await page.getByRole('button', { name: `Show ${MORE} more` }).click();
  assert.equal(await page.locator('li.upload').count(), DRAWN + MORE);
  isHeld = false;
  released.resolve();
  const done = page.getByText(`${FILES - 3} done`, { exact: true });
  await done.waitFor();
  await page.getByRole('heading', { name: '3 files need your attention' }).waitFor();
  const first = page.locator('li.upload').first();
  assert.equal(await first.getAttribute('data-state'), 'failed');
  assert.equal(await page.locator('li.upload').count(), 3, 'what is done is one line');
  await done.click();
  await page.locator('li.upload[data-state=done]').first().waitFor();
  assert.equal(await page.locator('li.upload').count(), 3 + MORE);
  await assertAccessible(page, 'failed and done uploads');
  await page.getByRole('button', { name: 'Retry all' }).click();
  await page.getByText(`${FILES} files uploaded`, { exact: true }).waitFor();
  await page.getByText(`${FILES} done`, { exact: true }).waitFor();
  assert.equal((await owner.call('GET', '/limits')).json<{ used_files: number }>().used_files, FILES);
});

test('total: it says that it waits without a network and when all is paused, and has a rate while bytes move', async () => {
  const page = await under.open(under.newOwner());
  await throttle(page, SLOW);
  await drop(page, [writeLongMrc(under.folder, 'one.mrc'), writeLongMrc(under.folder, 'two.mrc')]);
  await total(page).getByText(/\/s$/).waitFor();
  await total(page)
    .getByText(/ left$/)
    .waitFor();
  await throttle(page, 0);
  await total(page).getByText('Waiting: no network').waitFor();
  assert.equal(
    await total(page)
      .getByText(/ left$/)
      .count(),
    0,
  );
  await throttle(page, SLOW);
  await total(page).getByText(/\/s$/).waitFor();
  await page.getByRole('button', { name: 'Pause all' }).click();
  await total(page).getByText('Paused', { exact: true }).waitFor();
  assert.equal(await total(page).getByText(/\/s$/).count(), 0);
});

test('total: it says that the server is full, and goes on when there is space', async () => {
  const page = await under.open(under.newOwner());
  let isFull = true;
  await page.route('**/uploads/init', async (route) => {
    if (!isFull) return await route.fallback();
    const json = { message: 'No space.', hint: 'h', retryable: true, request_id: 'r', details: {} };
    await route.fulfill({
      status: 507,
      headers: { 'retry-after': '1' },
      json: { code: 'insufficient_storage', ...json },
    });
  });
  await drop(page, [writeMrc(under.folder, 'full1.mrc', 1), writeMrc(under.folder, 'full2.mrc', 1)]);
  await total(page).getByText('Waiting: the server is full').waitFor();
  isFull = false;
  await page.getByText('2 files uploaded', { exact: true }).waitFor();
});

test('keyboard: a row that leaves its place gives the focus to the list', async () => {
  const page = await under.open(under.newOwner());
  let isRefused = true;
  await page.route('**/uploads/init', async (route) => {
    if (!isRefused) return await route.fallback();
    const json = { code: 'forbidden', message: 'Not now.', hint: 'h', retryable: false, request_id: 'r', details: {} };
    await route.fulfill({ status: 403, json });
  });
  await drop(page, [writeMrc(under.folder, 'again.mrc', 1)]);
  const retry = uploadRow(page, 'again.mrc', 'failed').getByRole('button', { name: 'Retry: again.mrc' });
  await retry.waitFor();
  isRefused = false;
  await retry.focus();
  await page.keyboard.press('Enter');
  await uploadRow(page, 'again.mrc', 'done').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'uploads');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Show file');
});

test('sign-out: the page asks while uploads are not finished, and the signed-out tab asks before it is closed', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner);
  const questions: string[] = [];
  page.on('dialog', async (dialog) => {
    questions.push(dialog.type());
    await dialog.accept();
  });
  await throttle(page, SLOW);
  await drop(page, [writeLongMrc(under.folder, 'leaving.mrc')]);
  await waitForParts(uploadRow(page, 'leaving.mrc'), 1);
  const signOutButton = page.getByRole('button', { name: 'Sign out', exact: true });
  await signOutButton.click();
  const question = page.getByRole('dialog', { name: 'Sign out while uploads are not finished?' });
  await question.getByText('1 upload is not finished').waitFor();
  await assertAccessible(page, 'the question before a sign-out');
  await question.getByRole('button', { name: 'Stay signed in' }).click();
  await question.waitFor({ state: 'detached' });
  await uploadRow(page, 'leaving.mrc', 'running').waitFor();
  await signOut(page);
  await page.getByText('1 upload waits here').waitFor();
  await page.reload();
  assert.deepEqual(questions, ['beforeunload']);
});
