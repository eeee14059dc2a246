/** The SDK in a real browser, against a real server of another origin, over a link of 6 MiB/s that the browser plays. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { FileRecord, StoredPartPage } from '@cryolift/protocol/messages';
import type { Page } from 'playwright-core';
import { makeMrc } from '../contract/sample.ts';
import { startServer } from '../server-under-test.ts';
import { startBlankPages, visit } from './blank-page.ts';

const MIB = 1024 * 1024;
const FAST = -1;
const SLOW = 6 * MIB;

const pages = await startBlankPages();
const server = await startServer({ CRYOLIFT_CORS_ORIGINS: pages.origin });
const folder = mkdtempSync(join(tmpdir(), 'cryolift-browser-'));
after(async () => {
  await pages.discard();
  await server.discard();
  rmSync(folder, { recursive: true, force: true });
});

/** What the page says of its upload. */
interface Told {
  state: string;
  uploadId: string | undefined;
  stored: number;
  resumed: number;
  sent: number;
  offline: boolean;
  trouble: string | null;
  file: FileRecord | null;
  failure: { code: string; message: string; hint: string } | null;
  /** With which `renew` a token was asked for. */
  asked: boolean[];
}

declare global {
  /** In the page. */
  var told: Told;
  var pause: () => void;
}

interface Beginning {
  readonly server: string;
  readonly token: string;
  /** What is given unless another is asked for; the good one when not given. */
  readonly firstToken?: string;
  readonly pauseAtBytes?: number;
}

/** Begins to upload the file in the page's field, in parts of 1 MiB, four at a time. */
async function begin(page: Page, options: Partial<Beginning> = {}): Promise<void> {
  const beginning: Beginning = { server: server.url, token: server.token(), ...options };
  await page.evaluate(({ server, token, firstToken = token, pauseAtBytes }) => {
    const { BlobSource, IndexedDbResumeStore, Uploader, XhrTransport } = globalThis.sdk;
    const asked: boolean[] = [];
    const told: Told = {
      state: '',
      uploadId: undefined,
      stored: 0,
      resumed: 0,
      sent: 0,
      offline: false,
      trouble: null,
      file: null,
      failure: null,
      asked,
    };
    globalThis.told = told;
    const uploader = new Uploader({
      server,
      transport: new XhrTransport(server),
      resumeStore: new IndexedDbResumeStore(),
      parallel: 4,
      async getToken(renew) {
        asked.push(renew);
        return asked.includes(true) ? token : firstToken;
      },
    });
    const stop = new AbortController();
    globalThis.pause = () => stop.abort();
    const [file] = document.querySelector('input')?.files ?? [];
    uploader
      .upload(new BlobSource(file as File), {
        signal: stop.signal,
        partSizeBytes: 1024 * 1024,
        onProgress(progress) {
          told.state = progress.state;
          told.uploadId = progress.session?.upload_id;
          told.stored = progress.storedBytes;
          told.resumed = progress.resumedBytes;
          told.sent = progress.sentBytes;
          told.offline = progress.offline;
          told.trouble = progress.lastError;
          if (pauseAtBytes !== undefined && told.stored >= pauseAtBytes) stop.abort();
        },
      })
      .then(
        (file) => {
          told.file = file;
        },
        ({ code, message, hint }) => {
          told.failure = { code, message, hint };
        },
      );
  }, beginning);
}

async function end(page: Page): Promise<Told> {
  await page.waitForFunction(() => globalThis.told.file ?? globalThis.told.failure);
  return await page.evaluate(() => globalThis.told);
}

async function storeBytes(page: Page, bytes: number): Promise<void> {
  await page.waitForFunction((bytes) => globalThis.told.stored >= bytes, bytes);
}

/** @returns a function that sets how many bytes per second the page may send; null takes its network away. */
async function controlNetwork(page: Page): Promise<(bytesPerSecond: number | null) => Promise<void>> {
  const devtools = await page.context().newCDPSession(page);
  return async (bytesPerSecond) => {
    await devtools.send('Network.emulateNetworkConditions', {
      offline: bytesPerSecond === null,
      latency: 0,
      downloadThroughput: FAST,
      uploadThroughput: bytesPerSecond ?? FAST,
    });
  };
}

/** A new file, in the page's field. */
async function choose(page: Page, mib: number): Promise<{ path: string; bytes: Buffer }> {
  const path = join(folder, `${randomBytes(4).toString('hex')}.mrc`);
  const bytes = makeMrc(mib * MIB);
  writeFileSync(path, bytes);
  await page.setInputFiles('input', path);
  return { path, bytes };
}

function assertWhole(file: FileRecord | null, bytes: Buffer): void {
  assert.equal(file?.sha256, createHash('sha256').update(bytes).digest('hex'));
  assert.equal(file.size, bytes.length);
}

async function storedParts(uploadId: string | undefined): Promise<number[]> {
  const headers = { authorization: `Bearer ${server.token()}` };
  const answer = await fetch(`${server.url}/uploads/${uploadId}/parts?limit=1000`, { headers });
  return ((await answer.json()) as StoredPartPage).items.map(({ part }) => part);
}

function remembered(page: Page) {
  return page.evaluate(async (url) => {
    // Whom tokens of this target are for.
    return await new globalThis.sdk.IndexedDbResumeStore().all(url, 'somebody');
  }, server.url);
}

test('64 MiB, with the page reloaded in the middle: only what is missing is sent', async () => {
  const page = await pages.open();
  const setSpeed = await controlNetwork(page);
  await setSpeed(SLOW);
  const { path, bytes } = await choose(page, 64);
  await begin(page);
  await storeBytes(page, 16 * MIB);
  await visit(page, pages.origin);

  await setSpeed(FAST);
  const [open] = await remembered(page);
  const before = await storedParts(open?.uploadId);
  assert.ok(before.length >= 16 && before.length < 64, `${before.length} parts`);
  const calls: string[] = [];
  page.on('request', (request) => calls.push(`${request.method()} ${new URL(request.url()).pathname}`));
  await page.setInputFiles('input', path);
  await begin(page);
  const { file, resumed, sent, uploadId } = await end(page);

  assertWhole(file, bytes);
  assert.equal(uploadId, open?.uploadId);
  const puts = calls.filter((call) => call.startsWith('PUT')).map((call) => Number(call.split('/').at(-1)));
  assert.equal(new Set(puts).size, puts.length, 'none twice');
  assert.deepEqual(
    puts.filter((idx) => before.includes(idx)),
    [],
  );
  assert.equal(puts.length, 64 - resumed / MIB);
  assert.equal(sent, bytes.length - resumed);
  assert.ok(!calls.includes('POST /uploads/init'), 'what was remembered led to the session');
  assert.deepEqual(await remembered(page), []);
});

test('without a network it waits, and goes on by itself when that is back', async () => {
  const page = await pages.open();
  const setSpeed = await controlNetwork(page);
  await setSpeed(SLOW);
  const { bytes } = await choose(page, 16);
  await begin(page);
  await storeBytes(page, 2 * MIB);
  await setSpeed(null);
  await page.waitForFunction(() => globalThis.told.offline);
  await setSpeed(FAST);
  const { file, offline, trouble } = await end(page);
  assertWhole(file, bytes);
  assert.deepEqual([offline, trouble], [false, null]);
});

test('a token that has expired is asked for again, and the upload goes on', async () => {
  const page = await pages.open();
  const { bytes } = await choose(page, 4);
  await begin(page, { firstToken: server.token({ ttlSeconds: -60 }) });
  const { file, asked } = await end(page);
  assertWhole(file, bytes);
  assert.ok(asked.includes(true));
});

test('a file that changed while its upload was paused is refused, and nothing of it is sent', async () => {
  const page = await pages.open();
  const setSpeed = await controlNetwork(page);
  await setSpeed(SLOW);
  const { path } = await choose(page, 16);
  await begin(page, { pauseAtBytes: 2 * MIB });
  await end(page);
  assert.equal(await page.evaluate(() => globalThis.told.state), 'paused');
  writeFileSync(path, makeMrc(16 * MIB));

  // The page still has the old one, which the browser cannot read any more.
  await begin(page);
  const old = await end(page);
  assert.equal(old.failure?.code, 'source_unreadable');
  assert.match(`${old.failure?.message} ${old.failure?.hint}`, /changed, moved or removed .* choose/i);

  const calls: string[] = [];
  page.on('request', (request) => calls.push(request.method()));
  await page.setInputFiles('input', []);
  await page.setInputFiles('input', path);
  await begin(page);
  const { failure } = await end(page);
  assert.equal(failure?.code, 'source_changed');
  assert.match(failure.message, /was modified at .*, after its upload began/);
  assert.deepEqual(
    calls.filter((method) => method === 'PUT' || method === 'POST'),
    [],
  );
});

test('a page that may not compute checksums says so', async () => {
  const page = await pages.open();
  await page.route('http://microscope.test/**', async (route) => {
    await route.fulfill(pages.answer(new URL(route.request().url()).pathname));
  });
  await visit(page, 'http://microscope.test/');
  await choose(page, 1);
  await begin(page);
  const { failure } = await end(page);
  assert.equal(failure?.code, 'source_unreadable');
  assert.match(`${failure.message} ${failure.hint}`, /checksums.*https:.*localhost/);
});
