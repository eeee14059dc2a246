/** Signing in while the tab has work that would be lost if it left for the provider. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import { callWith } from '../../contract/wire.ts';
import { assertAccessible } from '../accessible.ts';
import { drop, uploadRow, writeMrc } from '../page-under-test.ts';
import {
  openWindow,
  passProvider,
  SignInUnderTest,
  savedGrant,
  signInAgainButton,
  signInButton,
} from './sign-in-under-test.ts';

const here = await SignInUnderTest.start();
after(() => here.discard());
const { provider, under } = here;

/** Nobody is signed in, and a file waits. */
async function visitWithFile(name: string): Promise<Page> {
  const page = await here.visit();
  await drop(page, [writeMrc(under.folder, name, 1)]);
  await page.getByText('1 file will be uploaded after you sign in').waitFor();
  await page.getByText('A window opens where you sign in').waitFor();
  return page;
}

test('window: files that wait are kept, and are uploaded after the sign-in', async () => {
  const page = await visitWithFile('early.mrc');
  const window = await openWindow(page, () => signInButton(page).click());
  await passProvider(window, 'ada');
  await uploadRow(page, 'early.mrc', 'done').waitFor();
  await page.locator('.subject', { hasText: 'Ada Example' }).waitFor();
  if (!window.isClosed()) await window.waitForEvent('close');
});

test('window: a browser that blocks it says so, and the files still wait', async () => {
  const page = await visitWithFile('blocked.mrc');
  await page.evaluate(() => Object.assign(globalThis, { open: () => null }));
  await signInButton(page).click();
  await page.getByRole('alert').getByText('The browser has blocked the window').waitFor();
  await page.getByText('1 file will be uploaded after you sign in').waitFor();
});

test('window: when its tab is gone, it says so, and revokes the grant that nobody takes', async () => {
  const page = await visitWithFile('gone.mrc');
  page.on('dialog', (dialog) => dialog.accept());
  const window = await openWindow(page, () => signInButton(page).click());
  await window.getByPlaceholder('Enter any login').waitFor();
  await page.goto('about:blank');
  const { revoked } = provider.counts;
  await passProvider(window, 'ada');
  await window.getByText('The tab that you came from was closed or reloaded').waitFor();
  assert.equal(await savedGrant(window), null);
  await assertAccessible(window, 'the tab is gone');
  while (provider.counts.revoked === revoked) await window.waitForTimeout(50);
});

test('upload link: its visitors are not asked to sign in, also not when the link has ended', async () => {
  const { accessToken = '' } = (await savedGrant(await here.signIn('ada'))) ?? {};
  const call = callWith(under.server, { authorization: `Bearer ${accessToken}` });
  const { token, link_id } = (await call('POST', '/links', { json: {} })).json<{ token: string; link_id: string }>();
  const page = await under.open({ token });
  await drop(page, [writeMrc(under.folder, 'linked.mrc', 1)]);
  await uploadRow(page, 'linked.mrc', 'done').waitFor();
  assert.equal((await call('DELETE', `/links/${link_id}`)).status, 204);
  await drop(page, [writeMrc(under.folder, 'late.mrc', 1)]);
  await page.getByRole('heading', { name: 'This link has ended' }).waitFor();
  await page.getByLabel('Token, or the whole link').waitFor();
  assert.equal(await signInAgainButton(page).count(), 0);
});
