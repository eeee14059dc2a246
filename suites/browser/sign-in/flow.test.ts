/** Signing in on the page at a real identity provider. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import { eventually } from '../../contract/upload.ts';
import { signIn, signOut } from '../page-under-test.ts';
import {
  cancelAtProvider,
  enterName,
  passProvider,
  SignInUnderTest,
  savedGrant,
  signInButton,
} from './sign-in-under-test.ts';

const here = await SignInUnderTest.start();
after(() => here.discard());
const { provider, under } = here;

/** The addresses in the history of the tab, with those of before. */
async function historyOf(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const { entries } = (await session.send('Page.getNavigationHistory')) as { entries: { url: string }[] };
  await session.detach();
  return entries.map(({ url }) => url);
}

async function alert(page: Page, text: RegExp): Promise<void> {
  await page.getByRole('alert').getByText(text).waitFor();
}

test('sign in: with PKCE, back to the same view, and nothing secret in addresses, the document or other storage', async () => {
  const urls: string[] = [];
  const page = await under.openProfile();
  page.context().on('request', (request) => urls.push(request.url()));
  await page.goto(`${under.server.url}/#activity`);
  await page.getByText(`You sign in at ${new URL(provider.issuer).host}`).waitFor();
  await signInButton(page).click();
  await passProvider(page, 'ada');
  await page.locator('.subject', { hasText: 'Ada Example' }).waitFor();
  await page.locator('.subject', { hasText: 'renewed automatically' }).waitFor();
  assert.equal(page.url(), `${under.server.url}/#activity`);
  await page.getByRole('heading', { name: 'Activity' }).waitFor();

  const asked = new URL(urls.find((url) => url.startsWith(`${provider.issuer}/auth?`)) ?? '').searchParams;
  assert.equal(asked.get('code_challenge_method'), 'S256');
  assert.match(asked.get('code_challenge') ?? '', /^[\w-]{43}$/);
  for (const name of ['state', 'nonce']) assert.match(asked.get(name) ?? '', /^[\w-]{43}$/, name);
  assert.equal(asked.get('redirect_uri'), `${under.server.url}/`);

  const grant = await savedGrant(page);
  assert.ok(grant);
  const secrets = [grant.accessToken, grant.refreshToken];
  const answers = urls.filter((url) => url.startsWith(under.server.url) && url.includes('code='));
  assert.equal(answers.length, 1);
  const code = new URL(answers[0] as string).searchParams.get('code') ?? '';
  assert.ok(!under.server.stdout.includes(code) && !under.server.stderr.includes(code), 'the code is in the log');
  for (const url of await historyOf(page)) assert.doesNotMatch(url, /[?&#](code|state|token)=/);
  const found = await page.evaluate(() => ({
    html: document.documentElement.outerHTML,
    local: JSON.stringify(localStorage),
    cookies: document.cookie,
    session: Object.keys(sessionStorage),
  }));
  for (const secret of secrets) {
    assert.ok(!urls.some((url) => url.includes(secret)));
    assert.ok(!found.html.includes(secret) && !found.local.includes(secret));
    assert.ok(!under.server.stderr.includes(secret) && !under.server.stdout.includes(secret));
  }
  assert.deepEqual([found.cookies, found.session], ['', ['cryolift-grant']]);
});

test('sign in: an answer with another state, issuer, nonce or verifier signs nobody in', async () => {
  // Each is run in the page before its own scripts, when the answer is in the address.
  const changes: Record<string, (answer: URLSearchParams, started: Record<string, string>) => void> = {
    state: (answer) => answer.set('state', 'x'.repeat(43)),
    'other issuer': (answer) => answer.set('iss', 'https://evil.example.org'),
    'no issuer': (answer) => answer.delete('iss'),
    nonce: (_answer, started) => Object.assign(started, { nonce: 'x'.repeat(43) }),
    // The provider checks this one.
    verifier: (_answer, started) => Object.assign(started, { verifier: 'x'.repeat(43) }),
  };
  for (const [name, change] of Object.entries(changes)) {
    const page = await here.visit('#files');
    await page.addInitScript(`{
      const answer = new URLSearchParams(location.search);
      const saved = sessionStorage.getItem('cryolift-sign-in');
      if (saved && answer.has('code')) {
        const started = JSON.parse(saved);
        (${change})(answer, started);
        history.replaceState(null, '', '/?' + answer);
        sessionStorage.setItem('cryolift-sign-in', JSON.stringify(started));
      }
    }`);
    await signInButton(page).click();
    await passProvider(page, 'ada');
    await alert(page, name === 'verifier' ? /refuses to sign you in/ : /is not accepted: .*(state|iss|nonce)/);
    assert.equal(await page.getByRole('navigation').count(), 0, name);
    assert.equal(page.url(), `${under.server.url}/#files`, name);
    assert.equal(await savedGrant(page), null, name);
    await page.context().close();
  }
});

test('sign in: an answer that no sign-in waits for signs nobody in, and leads nowhere else', async () => {
  const page = await under.openProfile();
  for (const query of ['code=a&state=b', 'error=access_denied&error_description=Call+123&state=b']) {
    await page.goto(`${under.server.url}/?${query}#//evil.example.org`);
    await alert(page, /was not started in this tab/);
    assert.equal(page.url(), `${under.server.url}/`);
    assert.equal(await page.getByText('Call 123').count(), 0);
  }
});

test('sign in: somebody who cancels at the provider reads so, and can sign in afterwards', async () => {
  const page = await here.visit();
  await signInButton(page).click();
  await enterName(page, 'ada');
  await cancelAtProvider(page);
  await alert(page, /The sign-in was cancelled at 127\.0\.0\.1/);
  assert.equal(page.url(), `${under.server.url}/`);
  await signInButton(page).click();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('navigation').waitFor();
});

test('sign in: the button Back returns from the provider, and harms nothing afterwards', async () => {
  const page = await here.visit('#files');
  await signInButton(page).click();
  await page.getByPlaceholder('Enter any login').waitFor();
  await page.goBack();
  await signInButton(page).click();
  await passProvider(page, 'ada');
  await page.locator('.subject', { hasText: 'Ada Example' }).waitFor();
  // An answer that was given before.
  await page.goto(`${under.server.url}/?code=old&state=old`);
  await page.locator('.subject', { hasText: 'Ada Example' }).waitFor();
  assert.equal(await page.getByRole('alert').count(), 0);
  assert.equal(page.url(), `${under.server.url}/`);
});

test('sign out: revokes the grant, keeps nothing, and the provider asks who it is at the next sign-in', async () => {
  const page = await here.signIn('ada');
  const { revoked } = provider.counts;
  await signOut(page);
  await eventually(
    async () => provider.counts.revoked,
    (count) => count === revoked + 1,
  );
  assert.deepEqual(await page.evaluate(() => Object.keys(sessionStorage)), []);
  await page.reload();
  await signInButton(page).click();
  // Not signed in by the session at the provider.
  await passProvider(page, 'bob');
  await page.locator('.subject', { hasText: 'Bob Example' }).waitFor();
});

test('paste: a token still signs in, and is not renewed', async () => {
  const grant = await savedGrant(await here.signIn('ada'));
  const page = await here.visit();
  await page.getByText('Paste a token', { exact: true }).click();
  await signIn(page, grant?.accessToken ?? '');
  await page.locator('.subject', { hasText: 'ada' }).waitFor();
  assert.deepEqual(await page.evaluate(() => Object.values(sessionStorage)), [grant?.accessToken]);
});

test('sign in: works on a machine whose clock is two hours wrong', async () => {
  for (const hours of [-2, 2]) {
    const page = await under.openProfile();
    await page.clock.setSystemTime(Date.now() + hours * 3_600_000);
    await page.goto(under.server.url);
    await signInButton(page).click();
    await passProvider(page, 'ada');
    await page.locator('.subject', { hasText: 'Ada Example' }).waitFor();
  }
});

test('sign in: a provider that does not answer is reported in words', async () => {
  const page = await here.visit();
  await provider.disconnect();
  try {
    await signInButton(page).click();
    await alert(page, /does not answer this page/);
  } finally {
    await provider.reconnect();
  }
  await signInButton(page).click();
  await page.getByPlaceholder('Enter any login').waitFor();
});
