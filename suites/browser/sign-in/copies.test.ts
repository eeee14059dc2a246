/** Copies of a tab, which have the same grant: a browser copies the storage of a tab that is duplicated. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import { eventually } from '../../contract/upload.ts';
import { SignInUnderTest, savedGrant, watchRefreshTokens } from './sign-in-under-test.ts';

const here = await SignInUnderTest.start(4);
after(() => here.discard());
const { provider } = here;

async function copyTab(page: Page): Promise<Page> {
  const opened = page.waitForEvent('popup');
  await page.evaluate(() => void open('/'));
  const copy = await opened;
  await copy.locator('.subject', { hasText: 'Bob Example' }).waitFor();
  return copy;
}

test('renewal: copies of a tab renew one after the other, and use no refresh token twice', async () => {
  const page = await here.signIn('bob');
  const { revoked } = provider.counts;
  const { invalid_grant: refused = 0 } = provider.counts.refused;
  const used = watchRefreshTokens(here, page);
  const copy = await copyTab(page);
  const tokens = { page: new Set<string>(), copy: new Set<string>() };
  await eventually(
    async () => {
      tokens.page.add((await savedGrant(page))?.accessToken ?? '');
      tokens.copy.add((await savedGrant(copy))?.accessToken ?? '');
      return Math.min(tokens.page.size, tokens.copy.size);
    },
    (count) => count > 3,
  );
  // Both have the same tokens: each was renewed once.
  assert.ok(tokens.page.intersection(tokens.copy).size >= 3);
  // The tab that is left takes the newest token, which came while it stood still.
  const session = await copy.context().newCDPSession(copy);
  await session.send('Page.setWebLifecycleState', { state: 'frozen' });
  const whileFrozen = used.length;
  await eventually(
    async () => used.length,
    (count) => count >= whileFrozen + 2,
  );
  // Not in the middle of a renewal: the answer would be lost with the tab.
  await eventually(
    async () => (await savedGrant(page))?.refreshToken ?? '',
    (token) => !used.includes(token),
  );
  await page.close();
  await session.send('Page.setWebLifecycleState', { state: 'active' });
  const afterClose = used.length;
  await eventually(
    async () => used.length,
    (count) => count >= afterClose + 2,
  );
  assert.equal(new Set(used).size, used.length, 'a refresh token was used twice');
  assert.equal(provider.counts.revoked, revoked);
  assert.equal(provider.counts.refused.invalid_grant ?? 0, refused);
  assert.equal(await copy.getByRole('alert').count(), 0);
});

test('sign out: copies of a tab sign out, too', async () => {
  const page = await here.signIn('bob');
  const copy = await copyTab(page);
  await copy.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  assert.deepEqual(await page.evaluate(() => Object.keys(sessionStorage)), []);
});
