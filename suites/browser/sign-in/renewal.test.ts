/** Tokens of a few seconds, which the page renews by itself while it uploads. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import { eventually } from '../../contract/upload.ts';
import { drop, SLOW, throttle, uploadRow, waitForParts, writeLongMrc, writeMrc } from '../page-under-test.ts';
import { SignInUnderTest, savedGrant, watchRefreshTokens } from './sign-in-under-test.ts';

const MIB = 1024 * 1024;
const LIFE_SECONDS = 4;

const here = await SignInUnderTest.start(LIFE_SECONDS);
after(() => here.discard());
const { under } = here;

/** Counts the notices that the page shows, from now on. */
async function watchNotices(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(() => {
    const seen = { count: document.querySelectorAll('.notice').length };
    Object.assign(globalThis, { seen });
    const watch = () => {
      seen.count += document.querySelectorAll('.notice').length;
    };
    new MutationObserver(watch).observe(document.body, { childList: true, subtree: true });
  });
  return async () => await page.evaluate(() => (globalThis as unknown as { seen: { count: number } }).seen.count);
}

test('renewal: an upload longer than three lives of its tokens goes through untouched', async (t) => {
  const page = await here.signIn('ada');
  const used = watchRefreshTokens(here, page);
  const noticesOf = await watchNotices(page);
  let refused = 0;
  page.on('response', (response) => {
    if (response.status() === 401) refused++;
  });
  await throttle(page, 4 * MIB);
  const startedMs = Date.now();
  await drop(page, [writeMrc(under.folder, 'long.mrc', 7)]);
  await uploadRow(page, 'long.mrc', 'done').waitFor();
  const lives = (Date.now() - startedMs) / 1000 / LIFE_SECONDS;
  t.diagnostic(`${lives.toFixed(1)} lives, ${used.length} renewals, ${refused} answers 401`);
  assert.ok(lives > 3, `${lives} lives`);
  assert.ok(used.length >= 3, `${used.length} renewals`);
  assert.equal(new Set(used).size, used.length);
  assert.equal(await noticesOf(), 0);
});

test('reload: somebody is still signed in, and continues an upload, also when the token has ended meanwhile', async () => {
  const page = await here.signIn('carla');
  page.on('dialog', (dialog) => dialog.accept());
  await throttle(page, SLOW);
  await drop(page, [writeLongMrc(under.folder, 'again.mrc')]);
  await waitForParts(uploadRow(page, 'again.mrc'), 1);
  const before = await savedGrant(page);
  // No renewal is under way right after another one: its answer would be lost with the page.
  await eventually(
    () => savedGrant(page),
    (grant) => grant?.accessToken !== before?.accessToken,
  );
  await page.goto('about:blank');
  await new Promise((resolve) => setTimeout(resolve, LIFE_SECONDS * 1000));
  await page.goBack();
  await page.locator('.subject', { hasText: 'Carla Example' }).waitFor();
  await throttle(page);
  await uploadRow(page, 'again.mrc', 'interrupted').getByRole('button', { name: 'Continue' }).click();
  await uploadRow(page, 'again.mrc', 'done').waitFor();
});

test('sleep: a page that stood still longer than its token lives goes on by itself', async () => {
  const page = await here.signIn('dora');
  await throttle(page, SLOW);
  await drop(page, [writeLongMrc(under.folder, 'asleep.mrc')]);
  await waitForParts(uploadRow(page, 'asleep.mrc'), 1);
  const session = await page.context().newCDPSession(page);
  await session.send('Page.setWebLifecycleState', { state: 'frozen' });
  await new Promise((resolve) => setTimeout(resolve, LIFE_SECONDS * 1500));
  await session.send('Page.setWebLifecycleState', { state: 'active' });
  await throttle(page);
  await uploadRow(page, 'asleep.mrc', 'done').waitFor();
  assert.equal(await page.getByRole('alert').count(), 0);
});
