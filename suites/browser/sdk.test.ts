/** The SDK in a real browser with a real server of another origin, over an emulated network of 6 MiB/s. */
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

/** The state of the upload, as the page reports it. */
interface Report {
  state: string;
  uploadId: string | undefined;
  stored: number;
  resumed: number;
  sent: number;
  offline: boolean;
  trouble: string | null;
  file: FileRecord | null;
  failure: { code: string; message: string; hint: string } | null;
  /** The values of `renew` with which a token was requested. */
  renewals: boolean[];
}

declare global {
  /** In the page. */
  var report: Report;
  var pause: () => void;
}

interface StartOptions {
  readonly server: string;
  readonly token: string;
  /** The token before a renewal; by default the same as `token`. */
  readonly firstToken?: string;
  readonly pauseAtBytes?: number;
}

/** Starts the upload of the file in the page's input, in parts of 1 MiB, four at a time. */
async function start(page: Page, options: Partial<StartOptions> = {}): Promise<void> {
  const startOptions: StartOptions = { server: server.url, token: server.token(), ...options };
  await page.evaluate(({ server, token, firstToken = token, pauseAtBytes }) => {
    const { BlobSource, IndexedDbResumeStore, Uploader, XhrTransport } = globalThis.sdk;
    const renewals: boolean[] = [];
    const report: Report = {
      state: '',
      uploadId: undefined,
      stored: 0,
      resumed: 0,
      sent: 0,
      offline: false,
      trouble: null,
      file: null,
      failure: null,
      renewals,
    };
    globalThis.report = report;
    const uploader = new Uploader({
      server,
      transport: new XhrTransport(server),
      resumeStore: new IndexedDbResumeStore(),
      parallel: 4,
      async getToken(renew) {
        renewals.push(renew);
        return renewals.includes(true) ? token : firstToken;
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
          report.state = progress.state;
          report.uploadId = progress.upload?.upload_id;
          report.stored = progress.storedBytes;
          report.resumed = progress.resumedBytes;
          report.sent = progress.sentBytes;
          report.offline = progress.offline;
          report.trouble = progress.lastError;
          if (pauseAtBytes !== undefined && report.stored >= pauseAtBytes) stop.abort();
        },
      })
      .then(
        (file) => {
          report.file = file;
        },
        ({ code, message, hint }) => {
          report.failure = { code, message, hint };
        },
      );
  }, startOptions);
}

async function waitForEnd(page: Page): Promise<Report> {
  await page.waitForFunction(() => globalThis.report.file ?? globalThis.report.failure);
  return await page.evaluate(() => globalThis.report);
}

async function waitForBytes(page: Page, bytes: number): Promise<void> {
  await page.waitForFunction((bytes) => globalThis.report.stored >= bytes, bytes);
}

/** @returns a function that limits the upload rate of the page; null: no network. */
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

/** Puts a new file into the page's input. */
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

function readResumeStore(page: Page) {
  return page.evaluate(async (url) => {
    // The subject of the tokens of this server.
    return await new globalThis.sdk.IndexedDbResumeStore().all(url, 'somebody');
  }, server.url);
}

test('reload: of 64 MiB only the missing parts are sent', async () => {
  const page = await pages.open();
  const setSpeed = await controlNetwork(page);
  await setSpeed(SLOW);
  const { path, bytes } = await choose(page, 64);
  await start(page);
  await waitForBytes(page, 16 * MIB);
  await visit(page, pages.origin);

  await setSpeed(FAST);
  const [open] = await readResumeStore(page);
  const before = await storedParts(open?.uploadId);
  assert.ok(before.length >= 16 && before.length < 64, `${before.length} parts`);
  const calls: string[] = [];
  page.on('request', (request) => calls.push(`${request.method()} ${new URL(request.url()).pathname}`));
  await page.setInputFiles('input', path);
  await start(page);
  const { file, resumed, sent, uploadId } = await waitForEnd(page);

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
  assert.ok(!calls.includes('POST /uploads/init'), 'the resume store has the id of the upload');
  assert.deepEqual(await readResumeStore(page), []);
});

test('no network: the upload waits, and continues when the network is back', async () => {
  const page = await pages.open();
  const setSpeed = await controlNetwork(page);
  await setSpeed(SLOW);
  const { bytes } = await choose(page, 16);
  await start(page);
  await waitForBytes(page, 2 * MIB);
  await setSpeed(null);
  await page.waitForFunction(() => globalThis.report.offline);
  await setSpeed(FAST);
  const { file, offline, trouble } = await waitForEnd(page);
  assertWhole(file, bytes);
  assert.deepEqual([offline, trouble], [false, null]);
});

test('expired token: a new one is requested, and the upload continues', async () => {
  const page = await pages.open();
  const { bytes } = await choose(page, 4);
  await start(page, { firstToken: server.token({ ttlSeconds: -60 }) });
  const { file, renewals } = await waitForEnd(page);
  assertWhole(file, bytes);
  assert.ok(renewals.includes(true));
});

test('changed file: an upload that was paused is refused, and nothing is sent', async () => {
  const page = await pages.open();
  const setSpeed = await controlNetwork(page);
  await setSpeed(SLOW);
  const { path } = await choose(page, 16);
  await start(page, { pauseAtBytes: 2 * MIB });
  await waitForEnd(page);
  assert.equal(await page.evaluate(() => globalThis.report.state), 'paused');
  writeFileSync(path, makeMrc(16 * MIB));

  // The page still has the old File, which the browser cannot read any more.
  await start(page);
  const old = await waitForEnd(page);
  assert.equal(old.failure?.code, 'source_unreadable');
  assert.match(`${old.failure?.message} ${old.failure?.hint}`, /changed, moved or removed .* choose/i);

  const calls: string[] = [];
  page.on('request', (request) => calls.push(request.method()));
  await page.setInputFiles('input', []);
  await page.setInputFiles('input', path);
  await start(page);
  const { failure } = await waitForEnd(page);
  assert.equal(failure?.code, 'source_changed');
  assert.match(failure.message, /was modified at .*, after its upload started/);
  assert.deepEqual(
    calls.filter((method) => method === 'PUT' || method === 'POST'),
    [],
  );
});

test('insecure page: reports that it cannot compute checksums', async () => {
  const page = await pages.open();
  await page.route('http://microscope.test/**', async (route) => {
    await route.fulfill(pages.answer(new URL(route.request().url()).pathname));
  });
  await visit(page, 'http://microscope.test/');
  await choose(page, 1);
  await start(page);
  const { failure } = await waitForEnd(page);
  assert.equal(failure?.code, 'source_unreadable');
  assert.match(`${failure.message} ${failure.hint}`, /checksums.*https:.*localhost/);
});
