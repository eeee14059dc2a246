/** Uploads that are stopped while the page waits for a result: the result does not start them again. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { UploadPage } from '@cryolift/protocol/messages';
import type { Page } from 'playwright-core';
import { listFiles } from '../contract/upload.ts';
import type { Call } from '../contract/wire.ts';
import {
  drop,
  PageUnderTest,
  SLOW,
  throttle,
  uploadRow,
  waitForParts,
  writeLongMrc,
  writeMrc,
} from './page-under-test.ts';

declare global {
  interface Window {
    /** While it is set, no header is read, or no handle returns its file. */
    gate?: { readonly what: 'headers' | 'handles'; readonly promise: Promise<void>; open(): void };
  }
}

const under = await PageUnderTest.start();
after(() => under.discard());

async function listSessions(call: Call) {
  return (await call('GET', '/uploads')).json<UploadPage>().items;
}

/** Runs in the page: a test can delay the reading of files. */
function gateReads(): void {
  // The empty page before it is not a secure context, and has neither of them.
  if (!isSecureContext) return;
  const headerBytes = 1024;
  const { arrayBuffer } = Blob.prototype;
  Blob.prototype.arrayBuffer = async function () {
    if (window.gate?.what === 'headers' && this.size === headerBytes) await window.gate.promise;
    return await arrayBuffer.call(this);
  };
  const { getFile } = FileSystemFileHandle.prototype;
  FileSystemFileHandle.prototype.getFile = async function () {
    if (window.gate?.what === 'handles') await window.gate.promise;
    return await getFile.call(this);
  };
}

async function closeGate(page: Page, what: 'headers' | 'handles'): Promise<void> {
  await page.evaluate((each) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const open = () => {
      delete window.gate;
      resolve();
    };
    window.gate = { what: each, promise, open };
  }, what);
}

/** Clicks, and opens the gate before the page does anything else. */
async function clickAndOpenGate(page: Page, selector: string): Promise<void> {
  await page.evaluate((each) => {
    const button = document.querySelector<HTMLElement>(each);
    if (!button) throw new Error(`there is no ${each}`);
    button.click();
    window.gate?.open();
  }, selector);
}

test('checking: files whose check is cancelled while their headers are read are not uploaded', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner, { before: gateReads });
  await closeGate(page, 'headers');
  await drop(page, [writeMrc(under.folder, 'no.mrc', 1), writeMrc(under.folder, 'neither.mrc', 1)]);
  await page.getByText('Checking 2 files before they are sent').waitFor();
  await clickAndOpenGate(page, '.batch button');
  await page.getByText('Checking 2 files').waitFor({ state: 'detached' });
  await drop(page, [writeMrc(under.folder, 'next.mrc', 1)]);
  await uploadRow(page, 'next.mrc', 'done').waitFor();
  assert.equal(await page.locator('li.upload').count(), 1);
  assert.deepEqual(
    (await listSessions(owner.call)).map(({ filename }) => filename),
    ['next.mrc'],
  );
});

test('interrupted: an upload that is cancelled while the browser opens its file does not continue', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner, { before: gateReads });
  page.on('dialog', (dialog) => dialog.accept());
  await throttle(page, SLOW);
  await drop(page, [writeLongMrc(under.folder, 'long.mrc')]);
  await waitForParts(uploadRow(page, 'long.mrc'), 2);
  await page.reload();
  await throttle(page);
  const row = uploadRow(page, 'long.mrc', 'interrupted');
  await row.getByText(/\d+ of \d+ parts/).waitFor();
  await closeGate(page, 'handles');
  await row.getByRole('button', { name: 'Continue' }).click();
  await row.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('dialog').waitFor();
  await clickAndOpenGate(page, 'dialog button.danger');
  await uploadRow(page, 'long.mrc').waitFor({ state: 'detached' });
  await drop(page, [writeMrc(under.folder, 'next.mrc', 1)]);
  await uploadRow(page, 'next.mrc', 'done').waitFor();
  assert.deepEqual(
    (await listSessions(owner.call)).map(({ filename, status }) => [filename, status]),
    [
      ['next.mrc', 'completed'],
      ['long.mrc', 'cancelled'],
    ],
  );
});

test('cancel: an upload that the server has just published is shown as uploaded', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner);
  const answered = Promise.withResolvers<void>();
  const cancelled = Promise.withResolvers<void>();
  let isFirst = true;
  await page.route('**/complete', async (route) => {
    if (!isFirst) return await route.fallback();
    isFirst = false;
    const response = await route.fetch();
    assert.equal(response.status(), 200);
    answered.resolve();
    await cancelled.promise;
    // The page has aborted the request before.
    await route.fulfill({ response }).catch(() => {});
  });
  await drop(page, [writeMrc(under.folder, 'late.mrc', 1)]);
  await answered.promise;
  const row = uploadRow(page, 'late.mrc');
  // The page asks for confirmation once it knows of a received part.
  await row.getByText('Verifying').waitFor();
  await row.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel the upload' }).click();
  cancelled.resolve();
  await uploadRow(page, 'late.mrc', 'done').getByRole('link', { name: 'Show file' }).waitFor();
  assert.equal((await listFiles(owner.call)).length, 1);
});
