/** Somebody who goes through the pages of `oidc-provider` as with a browser: cookies, redirects and forms. */
import assert from 'node:assert/strict';

interface Answer {
  readonly url: string;
  readonly status: number;
  /** Where it redirects to, absolute; null: nowhere. */
  readonly location: string | null;
  readonly page: string;
}

const MAX_REDIRECTS = 10;

export class Person {
  readonly #issuer: string;
  readonly #name: string;
  readonly #cookies = new Map<string, { path: string; value: string }>();

  constructor(issuer: string, name: string) {
    this.#issuer = issuer;
    this.#name = name;
  }

  /** @returns the redirect URI with the answer. */
  async authorize(url: string): Promise<string> {
    return leaving(await this.#pass(await this.#follow(await this.#request(url))));
  }

  /** @returns the redirect URI with the error. */
  async refuse(url: string): Promise<string> {
    const { page } = await this.#follow(await this.#request(url));
    const abort = /href="([^"]+\/abort)"/.exec(page)?.[1];
    assert.ok(abort, `the page has no link to cancel: ${page}`);
    return leaving(await this.#follow(await this.#request(abort)));
  }

  async approveDevice(url: string): Promise<void> {
    const confirmed = await this.#confirmDevice(url, 'confirm');
    const { page, status } = await this.#pass(await this.#follow(confirmed));
    assert.match(page, /Sign-in Success/, `the device was not confirmed (${status}): ${page}`);
  }

  async refuseDevice(url: string): Promise<void> {
    const { page } = await this.#confirmDevice(url, 'abort');
    assert.match(page, /was interrupted/);
  }

  /** The first page sends its form by itself; the second asks whether the code is the one that the device shows. */
  async #confirmDevice(url: string, answer: 'confirm' | 'abort'): Promise<Answer> {
    const { page } = await this.#follow(await this.#request(url));
    const form = { xsrf: fieldOf(page, 'xsrf'), user_code: fieldOf(page, 'user_code') };
    await this.#request(`${this.#issuer}/device`, form);
    return await this.#request(`${this.#issuer}/device`, { ...form, [answer]: 'yes' });
  }

  /** Sends the forms of the provider's pages until it asks nothing more. */
  async #pass(first: Answer): Promise<Answer> {
    let answer = first;
    for (;;) {
      const prompt = /name="prompt" value="(login|consent)"/.exec(answer.page)?.[1];
      const action = /<form [^>]*action="([^"]+)"/.exec(answer.page)?.[1];
      if (prompt === undefined || action === undefined) return answer;
      const form = { prompt, ...(prompt === 'login' ? { login: this.#name, password: 'any' } : {}) };
      answer = await this.#follow(await this.#request(new URL(action, answer.url).href, form));
    }
  }

  /** Follows redirects within the provider. */
  async #follow(first: Answer): Promise<Answer> {
    let answer = first;
    for (let count = 0; answer.location?.startsWith(`${this.#issuer}/`); count++) {
      assert.ok(count < MAX_REDIRECTS, 'the provider redirects without an end');
      answer = await this.#request(answer.location);
    }
    return answer;
  }

  async #request(url: string, form?: Record<string, string>): Promise<Answer> {
    const { pathname } = new URL(url);
    const cookie = [...this.#cookies]
      .filter(([, { path }]) => pathname.startsWith(path))
      .map(([name, { value }]) => `${name.split(' ')[0]}=${value}`)
      .join('; ');
    const body = form && new URLSearchParams(form);
    const response = await fetch(url, {
      method: body ? 'POST' : 'GET',
      redirect: 'manual',
      headers: { cookie },
      ...(body ? { body } : {}),
    });
    for (const text of response.headers.getSetCookie()) this.#keep(text);
    const location = response.headers.get('location');
    return {
      url,
      status: response.status,
      location: location === null ? null : new URL(location, url).href,
      page: await response.text(),
    };
  }

  #keep(text: string): void {
    const [pair = ''] = text.split(';');
    const [, name = '', value = ''] = /^([^=]+)=(.*)$/.exec(pair) ?? [];
    const path = /;\s*path=([^;]+)/i.exec(text)?.[1] ?? '/';
    const key = `${name} ${path}`;
    if (value === '') this.#cookies.delete(key);
    else this.#cookies.set(key, { path, value });
  }
}

function fieldOf(page: string, name: string): string {
  const value = new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1];
  assert.ok(value !== undefined, `the page has no field ${name}: ${page}`);
  return value;
}

function leaving({ location, page, status }: Answer): string {
  assert.ok(location, `the provider does not redirect (${status}): ${page}`);
  return location;
}
