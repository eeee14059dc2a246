/** The page of a server with a real identity provider, and what a person does on the pages of both. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { TestProvider } from '../../sign-in/provider.ts';
import { PageUnderTest } from '../page-under-test.ts';

/** The provider's own pages load a font from there. */
const FONTS = 'https://fonts.googleapis.com';

export class SignInUnderTest {
  readonly provider: TestProvider;
  readonly under: PageUnderTest;

  private constructor(provider: TestProvider, under: PageUnderTest) {
    this.provider = provider;
    this.under = under;
  }

  /** @param accessSeconds the life of access tokens. */
  static async start(accessSeconds = 3600, settings: Record<string, string> = {}): Promise<SignInUnderTest> {
    const provider = await TestProvider.start({ lives: { access: accessSeconds } });
    const under = await PageUnderTest.start({ ...provider.settings, ...settings }, [provider.issuer, FONTS]);
    return new SignInUnderTest(provider, under);
  }

  /** The page without anybody signed in, in a new profile. */
  async visit(hash = ''): Promise<Page> {
    const page = await this.under.openProfile();
    await page.goto(`${this.under.server.url}/${hash}`);
    await signInButton(page).waitFor();
    return page;
  }

  /** Somebody is signed in at the provider, in a new profile. */
  async signIn(name: string, hash = ''): Promise<Page> {
    const page = await this.visit(hash);
    await signInButton(page).click();
    await passProvider(page, name);
    await page.getByRole('navigation').waitFor();
    return page;
  }

  async discard(): Promise<void> {
    try {
      await this.under.discard();
    } finally {
      await this.provider.disconnect();
    }
  }
}

export function signInButton(page: Page) {
  return page.getByRole('button', { name: 'Sign in with your institution' });
}

export function signInAgainButton(page: Page) {
  return page.getByRole('button', { name: 'Sign in again' });
}

/** Opens the window that a tab uses to sign in. */
export async function openWindow(page: Page, click: () => Promise<void>): Promise<Page> {
  const opened = page.waitForEvent('popup');
  await click();
  return await opened;
}

/** Fills in the provider's form and consents. */
export async function passProvider(page: Page, name: string): Promise<void> {
  await enterName(page, name);
  await page.getByRole('button', { name: 'Continue' }).click();
}

export async function enterName(page: Page, name: string): Promise<void> {
  await page.getByPlaceholder('Enter any login').fill(name);
  await page.getByPlaceholder('and password').fill('any');
  await page.getByRole('button', { name: 'Sign-in' }).click();
}

export async function cancelAtProvider(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Cancel' }).click();
}

/** The grant that the tab has saved. */
export async function savedGrant(page: Page): Promise<{ accessToken: string; refreshToken: string } | null> {
  return await page.evaluate(() => JSON.parse(sessionStorage.getItem('cryolift-grant') ?? 'null'));
}

/** Ends the grant of a tab, as an administrator of the provider does. */
export async function revokeGrant({ provider }: SignInUnderTest, page: Page): Promise<void> {
  const { refreshToken = '' } = (await savedGrant(page)) ?? {};
  const body = new URLSearchParams({ client_id: provider.clientId, token: refreshToken });
  const answer = await fetch(`${provider.issuer}/token/revocation`, { method: 'POST', body });
  assert.equal(answer.status, 200);
}

/** Refresh tokens in the requests of all tabs of a profile, from now on. */
export function watchRefreshTokens({ provider }: SignInUnderTest, page: Page): readonly string[] {
  const used: string[] = [];
  page.context().on('request', (request) => {
    const token = new URLSearchParams(request.postData() ?? '').get('refresh_token');
    if (token !== null && request.url() === `${provider.issuer}/token`) used.push(token);
  });
  return used;
}
