/** A provider that does not answer, and grants that have ended, while the page uploads. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import { drop, SLOW, throttle, uploadRow, waitForParts, writeLongMrc } from '../page-under-test.ts';
import {
  cancelAtProvider,
  openWindow,
  revokeGrant,
  SignInUnderTest,
  savedGrant,
  signInAgainButton,
} from './sign-in-under-test.ts';

const LIFE_SECONDS = 4;
/** Of the tokens with which an upload goes on. */
const LONG_LIFE_SECONDS = 600;

const here = await SignInUnderTest.start(LIFE_SECONDS);
after(() => here.discard());
const { provider, under } = here;

/** Somebody is signed in, and a slow upload has begun. */
async function startUpload(person: string, file: string): Promise<Page> {
  provider.lives.access = LIFE_SECONDS;
  const page = await here.signIn(person);
  await throttle(page, SLOW);
  await drop(page, [writeLongMrc(under.folder, file)]);
  await waitForParts(uploadRow(page, file), 1);
  return page;
}

async function waitForEnd(page: Page): Promise<void> {
  await page.getByRole('heading', { name: 'Your sign-in has ended' }).waitFor();
}

test('provider down: an upload waits, says for whom, and continues when the provider is back', async () => {
  const page = await startUpload('ada', 'waits.mrc');
  await provider.disconnect();
  try {
    await page.getByText(/does not answer, so your sign-in cannot be renewed now/).waitFor();
    await uploadRow(page, 'waits.mrc').getByText('Waiting for 127.0.0.1').waitFor();
    assert.equal(await signInAgainButton(page).count(), 0);
  } finally {
    provider.lives.access = LONG_LIFE_SECONDS;
    await provider.reconnect();
  }
  // The page asks at intervals that grow to 30 s.
  await page.getByText(/does not answer/).waitFor({ state: 'detached' });
  await throttle(page);
  await uploadRow(page, 'waits.mrc', 'done').waitFor();
});

test('grant revoked: uploads wait, and continue when the same person has signed in again in a window', async () => {
  const page = await startUpload('bob', 'revoked.mrc');
  await revokeGrant(here, page);
  await waitForEnd(page);
  await uploadRow(page, 'revoked.mrc').getByText('Waiting for you to sign in').waitFor();
  await page.getByText('A window opens where you sign in').waitFor();
  const window = await openWindow(page, () => signInAgainButton(page).click());
  // The session at the provider has not ended, so it asks for consent only.
  provider.lives.access = LONG_LIFE_SECONDS;
  await window.getByRole('button', { name: 'Continue' }).click();
  if (!window.isClosed()) await window.waitForEvent('close');
  await throttle(page);
  await uploadRow(page, 'revoked.mrc', 'done').waitFor();
  assert.equal(await page.getByRole('heading', { name: 'Your sign-in has ended' }).count(), 0);
});

test('grant revoked: somebody who cancels in the window reads so, and a paused upload is kept', async () => {
  const page = await startUpload('carla', 'cancelled.mrc');
  await revokeGrant(here, page);
  await waitForEnd(page);
  await uploadRow(page, 'cancelled.mrc').getByRole('button', { name: 'Pause' }).click();
  await uploadRow(page, 'cancelled.mrc', 'paused').waitFor();
  const window = await openWindow(page, () => signInAgainButton(page).click());
  await cancelAtProvider(window);
  await page.getByRole('alert').getByText('The sign-in was cancelled').waitFor();
  assert.equal(await uploadRow(page, 'cancelled.mrc', 'paused').count(), 1);
});

test('grant revoked: a token that is pasted continues the uploads, too', async () => {
  const page = await startUpload('dora', 'pasted.mrc');
  await revokeGrant(here, page);
  await waitForEnd(page);
  const { accessToken = '' } = (await savedGrant(await here.signIn('dora'))) ?? {};
  await page.getByText('Paste a token', { exact: true }).click();
  await page.getByLabel('Token, or the whole link').fill(accessToken);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Your sign-in has ended' }).waitFor({ state: 'detached' });
});

test('grant revoked: without uploads, the page leaves in the same tab and returns to its view', async () => {
  const page = await here.signIn('emil', '#files');
  await revokeGrant(here, page);
  await waitForEnd(page);
  await page.getByText('You sign in at').waitFor();
  await signInAgainButton(page).click();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.locator('.subject', { hasText: 'Emil Example' }).waitFor();
  assert.equal(page.url(), `${under.server.url}/#files`);
});
