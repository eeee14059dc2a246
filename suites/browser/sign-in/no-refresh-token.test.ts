/** A provider that gives no refresh tokens: somebody signs in again when the access token ends. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { drop, SLOW, throttle, uploadRow, waitForParts, writeLongMrc } from '../page-under-test.ts';
import { openWindow, SignInUnderTest, savedGrant, signInAgainButton } from './sign-in-under-test.ts';

const here = await SignInUnderTest.start(10, { CRYOLIFT_OIDC_SCOPE: 'openid uploads:write files:read' });
after(() => here.discard());
const { provider, under } = here;

test('no refresh token: uploads wait at the end of the access token, and continue after another sign-in', async () => {
  const page = await here.signIn('ada');
  assert.equal((await savedGrant(page))?.refreshToken, null);
  assert.equal(await page.locator('.subject', { hasText: 'renewed automatically' }).count(), 0);
  await throttle(page, SLOW);
  await drop(page, [writeLongMrc(under.folder, 'waits.mrc')]);
  await waitForParts(uploadRow(page, 'waits.mrc'), 1);
  await page.getByRole('heading', { name: 'Your sign-in has ended' }).waitFor();
  await uploadRow(page, 'waits.mrc').getByText('Waiting for you to sign in').waitFor();
  provider.lives.access = 600;
  const window = await openWindow(page, () => signInAgainButton(page).click());
  await window.getByRole('button', { name: 'Continue' }).click();
  if (!window.isClosed()) await window.waitForEvent('close');
  await throttle(page);
  await uploadRow(page, 'waits.mrc', 'done').waitFor();
  assert.equal(provider.counts.granted.refresh_token ?? 0, 0);
});
