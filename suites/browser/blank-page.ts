/** A page of another origin that has the SDK as `sdk`, and a file input. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { bundleSdk } from './bundle.ts';
import { startChromium } from './chromium.ts';
import type * as Sdk from './sdk.ts';

declare global {
  /** In the page. */
  var sdk: typeof Sdk;
}

const HTML = `<!doctype html>
<title>blank</title>
<input type="file">
<script type="module">
  import * as sdk from '/sdk.js';
  globalThis.sdk = sdk;
</script>`;

export interface BlankPages {
  readonly origin: string;
  /** A page in a new profile. It is closed with the browser. */
  open(): Promise<Page>;
  /** The answers of the page's origin, for tests that route other origins. */
  answer(path: string): { contentType: string; body: string };
  discard(): Promise<void>;
}

export async function startBlankPages(): Promise<BlankPages> {
  const [code, browser] = await Promise.all([bundleSdk(), startChromium()]);
  const answer = (path: string) =>
    path === '/sdk.js' ? { contentType: 'text/javascript', body: code } : { contentType: 'text/html', body: HTML };
  const server = createServer(({ url = '/' }, response) => {
    const { contentType, body } = answer(url);
    response.setHeader('content-type', contentType).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    answer,
    async open() {
      const context = await browser.newContext();
      const page = await context.newPage();
      await visit(page, origin);
      return page;
    },
    async discard() {
      await browser.close();
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Loads the page, and waits for the SDK. */
export async function visit(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.waitForFunction(() => 'sdk' in globalThis);
}
