/** The server's own page in a real browser, and what somebody does with it. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildHeader, type HeaderFields } from '@cryolift/mrc';
import type { Browser, BrowserContextOptions, CDPSession, Locator, Page } from 'playwright-core';
import { type Call, callWith } from '../contract/wire.ts';
import { type OwnServer, type Settings, startServer } from '../server-under-test.ts';
import { startChromium } from './chromium.ts';

const SECTION_BYTES = 8 * 1024 * 1024;

/** Somebody whom no other test knows. */
export interface Owner {
  readonly token: string;
  readonly call: Call;
}

export interface Visit {
  readonly options?: BrowserContextOptions;
  /** Runs in the page before anything of its own. */
  readonly before?: () => void;
}

export class PageUnderTest {
  readonly server: OwnServer;
  readonly browser: Browser;
  /** For files to upload; removed in the end. */
  readonly folder = mkdtempSync(join(tmpdir(), 'cryolift-page-'));
  /** What no page may do: errors of its own, something that its policy forbids, requests elsewhere. */
  readonly complaints: string[] = [];

  private constructor(server: OwnServer, browser: Browser) {
    this.server = server;
    this.browser = browser;
  }

  static async start(settings: Settings = {}): Promise<PageUnderTest> {
    const [server, browser] = await Promise.all([startServer(settings), startChromium()]);
    return new PageUnderTest(server, browser);
  }

  newOwner(claims: { sub?: string; ttlSeconds?: number } = {}): Owner {
    const token = this.server.token({ sub: `owner-${randomUUID()}`, ...claims });
    return { token, call: callWith(this.server, { authorization: `Bearer ${token}` }) };
  }

  /** Opens the page by the link that the server would print, in a profile of its own. */
  async open({ token }: Pick<Owner, 'token'>, visit: Visit = {}): Promise<Page> {
    const page = await this.openProfile(visit);
    await page.goto(`${this.server.url}/#token=${token}`);
    await page.getByRole('navigation').waitFor();
    return page;
  }

  /** An empty page of a new profile. */
  async openProfile({ options = {}, before }: Visit = {}): Promise<Page> {
    const context = await this.browser.newContext(options);
    context.setDefaultTimeout(60_000);
    await context.addInitScript(keepHandlesByName);
    if (before) await context.addInitScript(before);
    context.on('weberror', (error) => this.complaints.push(String(error.error())));
    context.on('console', (message) => {
      if (/Content Security Policy|TrustedHTML/.test(message.text())) this.complaints.push(message.text());
    });
    context.on('request', (request) => {
      const { protocol, origin } = new URL(request.url());
      if (protocol !== 'blob:' && origin !== this.server.url) this.complaints.push(`asked ${request.url()}`);
    });
    return await context.newPage();
  }

  async discard(): Promise<void> {
    await this.browser.close();
    await this.server.discard();
    rmSync(this.folder, { recursive: true, force: true });
    assert.deepEqual(this.complaints, []);
  }
}

/**
 * The headless browser crashes when a handle comes out of IndexedDB, and can ask nobody for permission to read a file. So a
 * dropped file's handle is one to a copy in the browser's own file system, and only its name goes into the database.
 */
function keepHandlesByName(): void {
  const open = async (name: string) =>
    await (await navigator.storage.getDirectory()).getFileHandle(name, { create: true });
  DataTransferItem.prototype.getAsFileSystemHandle = async function () {
    const file = this.getAsFile();
    if (!file || this.webkitGetAsEntry()?.isDirectory) return null;
    const handle = await open(file.name);
    const { size } = await handle.getFile();
    if (size !== file.size) await file.stream().pipeTo(await handle.createWritable());
    return handle;
  };
  const { put } = IDBObjectStore.prototype;
  IDBObjectStore.prototype.put = function (value: unknown, ...key: [IDBValidKey?]) {
    return put.call(this, value instanceof FileSystemFileHandle ? { handleOf: value.name } : value, ...key);
  };
  const result = Object.getOwnPropertyDescriptor(IDBRequest.prototype, 'result')?.get as () => unknown;
  Object.defineProperty(IDBRequest.prototype, 'result', {
    get(this: IDBRequest) {
      const value = result.call(this) as { handleOf?: string } | undefined;
      const name = value?.handleOf;
      return name === undefined ? value : { name, getFile: async () => await (await open(name)).getFile() };
    },
  });
}

/**
 * Writes an MRC file of parts that all differ.
 *
 * @param sections of 8 MiB each.
 * @returns its path.
 */
export function writeMrc(folder: string, name: string, sections: number, fields: Partial<HeaderFields> = {}): string {
  const path = join(folder, name);
  const file = openSync(path, 'w');
  writeSync(file, buildHeader({ nx: 4096, ny: 2048, nz: sections, mode: 0, ...fields }));
  const section = Buffer.alloc(SECTION_BYTES, name);
  for (let z = 0; z < sections; z++) {
    section.writeUInt32LE(z, 0);
    writeSync(file, section);
  }
  closeSync(file);
  return path;
}

/** Drops files or folders from the disk, as a hand with a mouse does. */
export async function drop(page: Page, paths: readonly string[]): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [...paths], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await session.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data });
  }
  await session.detach();
}

/** What one session has set, another does not take away. */
const throttling = new WeakMap<Page, CDPSession>();

/** Lets the page send so many bytes a second; without a number as many as it can; with 0 there is no network. */
export async function throttle(page: Page, bytesPerSecond = -1): Promise<void> {
  const session = throttling.get(page) ?? (await page.context().newCDPSession(page));
  throttling.set(page, session);
  await session.send('Network.emulateNetworkConditions', {
    offline: bytesPerSecond === 0,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: bytesPerSecond === 0 ? -1 : bytesPerSecond,
  });
}

export async function signOut(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
}

/** By the field of the page that asks for a token. */
export async function signIn(page: Page, token: string): Promise<void> {
  await page.getByLabel('Token, or the whole link').fill(token);
  await page.keyboard.press('Enter');
  await page.getByRole('navigation').waitFor();
}

/** The row of an upload, by its file's name and, if given, its state. */
export function uploadRow(page: Page, name: string, state?: string): Locator {
  const inState = state === undefined ? '' : `[data-state="${state}"]`;
  return page.locator(`li.upload${inState}`, { has: page.getByRole('heading', { name }) });
}

/** Waits until so many parts of an upload have arrived. */
export async function waitForParts(row: Locator, count: number): Promise<void> {
  const map = row.getByRole('img', { name: /parts arrived/ });
  await map.waitFor();
  const page = row.page();
  await page.waitForFunction(
    ([element, least]) =>
      Number.parseInt((element as Element).getAttribute('aria-label') ?? '', 10) >= (least as number),
    [await map.elementHandle(), count] as const,
    { polling: 50 },
  );
}
