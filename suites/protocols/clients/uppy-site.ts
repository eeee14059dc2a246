/** The page of `docs/guides/uppy.md` as a site of its own origin, in a real browser. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { startChromium } from '../../browser/chromium.ts';
import { programIn } from '../guides.ts';

/** Where packages are looked for. There is no such file. */
const ENTRY = fileURLToPath(new URL('./main.js', import.meta.url));
const START_MS = 30_000;

export interface UppySite {
  readonly origin: string;
  /** Opens the page in a new profile. */
  open(): Promise<Page>;
  /** @param server URL of Cryolift. @param token of an upload link, or of a caller. */
  point(server: string, token: string): Promise<void>;
  discard(): Promise<void>;
}

export async function startUppySite(): Promise<UppySite> {
  const files = new Map<string, { type: string; text: string }>();
  files.set('/', { type: 'text/html', text: programIn('uppy.md', 'html', 0, {}) });
  const site = await listen((request, response) => {
    const file = files.get(request.url ?? '/');
    response.writeHead(file ? 200 : 404, { 'content-type': file?.type ?? 'text/plain' }).end(file?.text);
  });
  const browser: Browser = await startChromium();
  return {
    origin: site.origin,
    async open() {
      const context = await browser.newContext();
      context.setDefaultTimeout(START_MS);
      const page = await context.newPage();
      await page.goto(site.origin);
      return page;
    },
    async point(server, token) {
      const own = { 'https://lift.example.org': server, 'cl_link_…': token };
      const { code, css } = await bundle(programIn('uppy.md', 'js', 0, own));
      files.set('/main.js', { type: 'text/javascript', text: code }).set('/main.css', { type: 'text/css', text: css });
    },
    async discard() {
      await browser.close();
      site.close();
    },
  };
}

async function listen(answer: RequestListener) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, close: () => void server.close().closeAllConnections() };
}

/** @throws Error when the build fails. */
async function bundle(source: string): Promise<{ code: string; css: string }> {
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    plugins: [
      {
        name: 'the program of the guide',
        resolveId: (id) => (id === ENTRY ? ENTRY : null),
        load: (id) => (id === ENTRY ? source : null),
      },
    ],
    build: { write: false, minify: true, rolldownOptions: { input: ENTRY } },
  });
  const outputs = [built].flat().flatMap((each) => ('output' in each ? each.output : []));
  const code = outputs.flatMap((each) => (each.type === 'chunk' && each.isEntry ? each.code : [])).join('\n');
  const css = outputs.flatMap((each) =>
    each.type === 'asset' && each.fileName.endsWith('.css') ? `${each.source}` : [],
  );
  return { code, css: css.join('\n') };
}
