/** The server's page in a real browser, and the actions of a user. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildHeader, type HeaderFields } from '@cryolift/mrc';
import type { Browser, BrowserContextOptions, CDPSession, Locator, Page } from 'playwright-core';
import { type Call, callWith } from '../contract/wire.ts';
import { type OwnServer, type Settings, startServer } from '../server-under-test.ts';
import { startChromium } from './chromium.ts';

const SECTION_BYTES = 8 * 1024 * 1024;
/** Chromium under DevTools needs many seconds for each part of 8 MiB on a slow machine. */
const SMALL_PARTS: Settings = { CRYOLIFT_PART_SIZE: '1MiB' };

/** A subject that no other test uses. */
export interface Owner {
  readonly token: string;
  readonly call: Call;
}

export interface Visit {
  readonly options?: BrowserContextOptions;
  /** Runs in the page before its own scripts. */
  readonly before?: () => void;
}

export class PageUnderTest {
  readonly server: OwnServer;
  readonly browser: Browser;
  /** For files to upload; removed at the end. */
  readonly folder = mkdtempSync(join(tmpdir(), 'cryolift-page-'));
  /** Faults of the page: its own errors, violations of its policy, requests to other origins. */
  readonly faults: string[] = [];

  readonly #otherOrigins: readonly string[];

  private constructor(server: OwnServer, browser: Browser, otherOrigins: readonly string[]) {
    this.server = server;
    this.browser = browser;
    this.#otherOrigins = otherOrigins;
  }

  /** @param otherOrigins further origins that may be called: for parts, and to sign in. */
  static async start(settings: Settings = {}, otherOrigins: readonly string[] = []): Promise<PageUnderTest> {
    const [server, browser] = await Promise.all([startServer({ ...SMALL_PARTS, ...settings }), startChromium()]);
    return new PageUnderTest(server, browser, otherOrigins);
  }

  newOwner(claims: { sub?: string; scope?: string; ttlSeconds?: number } = {}): Owner {
    const token = this.server.token({ sub: `owner-${randomUUID()}`, ...claims });
    return { token, call: callWith(this.server, { authorization: `Bearer ${token}` }) };
  }

  /** Opens the page in a new profile with a link as the server prints it. */
  async open({ token }: Pick<Owner, 'token'>, visit: Visit = {}): Promise<Page> {
    const page = await this.openProfile(visit);
    await page.goto(`${this.server.url}/#token=${token}`);
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
    return page;
  }

  /** An empty page of a new profile. */
  async openProfile({ options = {}, before }: Visit = {}): Promise<Page> {
    const context = await this.browser.newContext(options);
    context.setDefaultTimeout(120_000);
    await context.addInitScript(keepHandlesByName);
    if (before) await context.addInitScript(before);
    context.on('weberror', (error) => this.faults.push(String(error.error())));
    context.on('console', (message) => {
      if (/Content Security Policy|TrustedHTML/.test(message.text())) this.faults.push(message.text());
    });
    context.on('request', (request) => {
      const { protocol, origin } = new URL(request.url());
      const isAllowed = origin === this.server.url || this.#otherOrigins.includes(origin);
      if (protocol !== 'blob:' && !isAllowed) this.faults.push(`asked ${request.url()}`);
    });
    return await context.newPage();
  }

  async discard(): Promise<void> {
    await this.browser.close();
    await this.server.discard();
    rmSync(this.folder, { recursive: true, force: true });
    assert.deepEqual(this.faults, []);
  }
}

/**
 * The headless browser crashes when it reads a handle from IndexedDB, and has no dialog for the permission to read a file.
 * So the handle of a dropped file points to a copy in the private file system of the page, and the database keeps its name.
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
 * Writes an MRC file in which all parts differ.
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

/** For `throttle`: an upload of `writeLongMrc` takes two minutes. */
export const SLOW = 512 * 1024;

/** Writes a sparse file of 64 MiB, for tests that interrupt an upload, however slow the machine is. */
export function writeLongMrc(folder: string, name: string): string {
  const path = join(folder, name);
  const nz = 8;
  writeFileSync(path, buildHeader({ nx: 4096, ny: 2048, nz, mode: 0 }));
  truncateSync(path, 1024 + nz * SECTION_BYTES);
  return path;
}

/** Drops files or folders from the disk onto the page. */
export async function drop(page: Page, paths: readonly string[]): Promise<void> {
  const upload = await page.context().newCDPSession(page);
  const data = { items: [], files: [...paths], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await upload.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data });
  }
  await upload.detach();
}

/** One session per page: the limit ends with the session that has set it. */
const throttling = new WeakMap<Page, CDPSession>();

/** Limits the upload rate of the page. @param bytesPerSecond -1: no limit; 0: no network. */
export async function throttle(page: Page, bytesPerSecond = -1): Promise<void> {
  const upload = throttling.get(page) ?? (await page.context().newCDPSession(page));
  throttling.set(page, upload);
  await upload.send('Network.emulateNetworkConditions', {
    offline: bytesPerSecond === 0,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: bytesPerSecond === 0 ? -1 : bytesPerSecond,
  });
}

export async function signOut(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Sign out' }).click();
  const isOut = page.getByRole('heading', { name: 'Sign in' });
  // With unfinished uploads the page asks.
  const question = page.getByRole('dialog').getByRole('button', { name: 'Sign out now' });
  await isOut.or(question).first().waitFor();
  if (await question.isVisible()) await question.click();
  await isOut.waitFor();
}

/** Pastes a token into the field of the page. */
export async function signIn(page: Page, token: string): Promise<void> {
  await page.getByLabel('Token, or the whole link').fill(token);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
}

/** The row of an upload, found by the name of its file and optionally by its state. */
export function uploadRow(page: Page, name: string, state?: string): Locator {
  const inState = state === undefined ? '' : `[data-state="${state}"]`;
  return page.locator(`li.upload${inState}`, { has: page.getByRole('heading', { name }) });
}

/** Waits until the server has received at least `count` parts. */
export async function waitForParts(row: Locator, count: number): Promise<void> {
  const map = row.getByRole('img', { name: /parts received/ });
  await map.waitFor();
  const page = row.page();
  await page.waitForFunction(
    ([element, least]) =>
      Number.parseInt((element as Element).getAttribute('aria-label') ?? '', 10) >= (least as number),
    [await map.elementHandle(), count] as const,
    { polling: 50 },
  );
}
