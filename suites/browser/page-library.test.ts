/** The lists of uploads and files, downloads and deletions. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import { makeMrc, sha256Hex } from '../contract/sample.ts';
import { eventually, listFiles, openSample, publish, put } from '../contract/upload.ts';
import { nameInList, serveLongList } from './long-list.ts';
import { drop, PageUnderTest, uploadRow, writeMrc } from './page-under-test.ts';

const under = await PageUnderTest.start();
after(() => under.discard());

async function goTo(page: Page, view: 'Upload' | 'Activity' | 'Files'): Promise<void> {
  await page.getByRole('navigation').getByRole('link', { name: view }).click();
}

test('download: an uploaded file is found in the list and downloaded with the same bytes', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner, { before: () => Reflect.deleteProperty(window, 'showSaveFilePicker') });
  const path = writeMrc(under.folder, 'tomogram.rec', 4, { nz: 4, label: ['Reconstructed by hand'] });
  await drop(page, [path]);
  await uploadRow(page, 'tomogram.rec', 'done').getByRole('link', { name: 'Show file' }).click();
  const detail = page.getByRole('article', { name: 'tomogram.rec' });
  await detail.getByText('Reconstructed by hand').waitFor();
  const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
  assert.equal(await detail.locator('.checksum code').first().innerText(), sha256);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    detail.getByRole('button', { name: 'Download' }).click(),
  ]);
  assert.equal(download.suggestedFilename(), 'tomogram.rec');
  const saved = join(under.folder, 'saved.rec');
  await download.saveAs(saved);
  assert.ok(readFileSync(saved).equals(readFileSync(path)));
  await detail.getByText('Every byte was checked').waitFor();
});

test('download with a save dialog: parts are written to the chosen place, and a damaged file is not kept', async () => {
  const owner = under.newOwner();
  const bytes = makeMrc(300_000);
  const file = await publish(owner.call, bytes, { filename: 'chosen.mrc' });
  const page = await under.open(owner, {
    before: () => {
      // The headless browser has no save dialog.
      window.showSaveFilePicker = async () =>
        await (await navigator.storage.getDirectory()).getFileHandle('place', { create: true });
    },
  });
  const readPlace = () =>
    page.evaluate(async () => {
      const handle = await (await navigator.storage.getDirectory()).getFileHandle('place');
      const digest = await crypto.subtle.digest('SHA-256', await (await handle.getFile()).arrayBuffer());
      return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    });
  await page.goto(`${under.server.url}/#files/${file.file_id}`);
  await page.getByRole('button', { name: 'Download' }).click();
  await page.getByText('Every byte was checked').waitFor();
  assert.equal(await readPlace(), sha256Hex(bytes));

  await page.route('**/content', async (route) => {
    const response = await route.fetch();
    const body = await response.body();
    body[0] = (body[0] ?? 0) ^ 1;
    await route.fulfill({ response, body });
  });
  await page.getByRole('button', { name: 'Download again' }).click();
  await page.getByText('their digest differs').waitFor();
  assert.equal(await readPlace(), sha256Hex(bytes), 'the file at this place is kept');
});

test('delete: a file is deleted after a confirmation', async () => {
  const owner = under.newOwner();
  await publish(owner.call, makeMrc(5_000), { filename: 'old.mrc' });
  const page = await under.open(owner);
  await goTo(page, 'Files');
  await page.getByRole('link', { name: /old\.mrc/ }).click();
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.keyboard.press('Escape');
  assert.equal((await listFiles(owner.call)).length, 1);
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Delete for good' }).click();
  await page.getByText('No files yet').waitFor();
  assert.deepEqual(await listFiles(owner.call), []);
});

test('live: changes by other programs appear without a reload', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner);
  await goTo(page, 'Activity');
  await page.getByText('No uploads yet').waitFor();
  await page.getByText('Live', { exact: true }).waitFor();
  const { upload, bytes } = await openSample(owner.call, 3, { filename: 'elsewhere.mrc' });
  const row = page.locator('li.activity', { hasText: 'elsewhere.mrc' });
  await row.getByText('Waiting').waitFor();
  await put(owner.call, upload, 0, bytes);
  await row.getByText('1 of 3 parts').waitFor();
  await row.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Cancel the upload' }).click();
  await row.getByText('Cancelled').waitFor();
  await goTo(page, 'Files');
  await page.getByText('No files yet').waitFor();
  await publish(owner.call, makeMrc(5_000), { filename: 'later.mrc' });
  await page.getByRole('link', { name: /later\.mrc/ }).waitFor();
});

test('download: large parts are fetched one at a time', async () => {
  const owner = under.newOwner();
  const partBytes = 33 * 1024 * 1024;
  const file = await publish(owner.call, makeMrc(2 * partBytes + 1024), {
    filename: 'large.mrc',
    part_size: partBytes,
  });
  assert.equal(file.part_count, 3);
  const page = await under.open(owner, { before: () => Reflect.deleteProperty(window, 'showSaveFilePicker') });
  let held = 0;
  let maxHeld = 0;
  await page.route('**/content', async (route) => {
    maxHeld = Math.max(maxHeld, ++held);
    const response = await route.fetch();
    held--;
    await route.fulfill({ response });
  });
  await page.goto(`${under.server.url}/#files/${file.file_id}`);
  await page.getByRole('button', { name: 'Download' }).click();
  await page.getByText('Every byte was checked').waitFor();
  assert.equal(maxHeld, 1);
});

test('lists: a server without events is polled', async () => {
  const owner = under.newOwner();
  const page = await under.openProfile();
  await page.route('**/events', (route) => route.fulfill({ status: 404, json: { code: 'not_found' } }));
  await page.goto(`${under.server.url}/#token=${owner.token}`);
  await goTo(page, 'Files');
  await page.getByText('No files yet').waitFor();
  await publish(owner.call, makeMrc(5_000), { filename: 'polled.mrc' });
  await page.getByRole('link', { name: /polled\.mrc/ }).waitFor();
});

test('lists: a thousand files are listed page by page, scrolled to the end and searched', async () => {
  const owner = under.newOwner();
  const file = await publish(owner.call, makeMrc(5_000), { filename: nameInList(0) });
  const page = await under.openProfile();
  await serveLongList(page, file, 1000);
  await page.goto(`${under.server.url}/#token=${owner.token}`);
  await goTo(page, 'Files');
  const rows = page.getByRole('link', { name: /square_/ });
  await page.getByText(/^1,000 files ·/).waitFor();
  await rows.first().focus();
  while ((await page.getByRole('link', { name: 'square_000999.mrc' }).count()) === 0) await page.keyboard.press('End');
  // Of the list, only what is on the screen is in the document.
  assert.ok((await rows.count()) < 100, `${await rows.count()} rows`);
  assert.equal(await page.getByRole('table', { name: 'Files' }).getAttribute('aria-rowcount'), '1001');
  await page.getByRole('searchbox').fill('square_000777');
  await page.getByText('1 file found').waitFor();
  await rows.click();
  await page.getByRole('article', { name: 'square_000777.mrc' }).waitFor();
});

test('search: a file on a page that is not fetched yet is found', async () => {
  const owner = under.newOwner();
  const file = await publish(owner.call, makeMrc(5_000), { filename: nameInList(0) });
  const page = await under.openProfile();
  await serveLongList(page, file, 1000);
  await page.goto(`${under.server.url}/#token=${owner.token}`);
  await goTo(page, 'Files');
  await page.getByText(/^1,000 files ·/).waitFor();
  await page.getByRole('searchbox').fill('square_000999');
  await page.getByRole('link', { name: /square_000999/ }).waitFor();
});

test('lists: a server error is shown with its hint, and the request can be repeated', async () => {
  const owner = under.newOwner();
  const page = await under.openProfile();
  const envelope = {
    code: 'database_unavailable',
    message: 'The database is away.',
    hint: 'Try a little later.',
    retryable: true,
    request_id: 'r-17',
  };
  let isAway = true;
  await page.route('**/files?*', async (route) => {
    if (isAway) await route.fulfill({ status: 503, json: envelope });
    else await route.fallback();
  });
  await page.goto(`${under.server.url}/#token=${owner.token}`);
  await goTo(page, 'Files');
  const alert = page.getByRole('alert');
  for (const text of ['The database is away.', 'Try a little later.', 'Request r-17'])
    await alert.getByText(text).waitFor();
  isAway = false;
  await alert.getByRole('button', { name: 'Try again' }).click();
  await page.getByText('No files yet').waitFor();
});

test('lists: an event during a list request is newer than its answer', async () => {
  const owner = under.newOwner();
  const old = await publish(owner.call, makeMrc(5_000), { filename: 'deleted.mrc' });
  const page = await under.open(owner);
  await goTo(page, 'Activity');
  await page.getByText('Live', { exact: true }).waitFor();
  const listed = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  await page.route('**/files?*', async (route) => {
    const response = await route.fetch();
    listed.resolve();
    await released.promise;
    await route.fulfill({ response });
  });
  await goTo(page, 'Files');
  await listed.promise;
  await owner.call('DELETE', `/files/${old.file_id}`);
  // The page reads the record after the event; the event of the deletion came before.
  const record = page.waitForResponse((response) => /^\/files\/[^/]+$/.test(new URL(response.url()).pathname));
  await publish(owner.call, makeMrc(5_000), { filename: 'fresh.mrc' });
  await record;
  released.resolve();
  await page.getByRole('link', { name: /fresh\.mrc/ }).waitFor();
  assert.equal(await page.getByRole('link', { name: /deleted\.mrc/ }).count(), 0);
});

test('lists: a late record of a deleted file does not bring the file back', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner);
  await goTo(page, 'Activity');
  await page.getByText('Live', { exact: true }).waitFor();
  await goTo(page, 'Files');
  await page.getByText('No files yet').waitFor();
  const released = Promise.withResolvers<void>();
  let isFirst = true;
  await page.route(/\/files\/[^/?]+$/, async (route) => {
    if (!isFirst) return await route.fallback();
    isFirst = false;
    const response = await route.fetch();
    await owner.call('DELETE', new URL(route.request().url()).pathname);
    await released.promise;
    await route.fulfill({ response });
  });
  await publish(owner.call, makeMrc(5_000), { filename: 'short-lived.mrc' });
  await eventually(
    async () => await listFiles(owner.call),
    (files) => files.length === 0 && !isFirst,
  );
  // Its event comes after the event of the deletion.
  await publish(owner.call, makeMrc(5_000), { filename: 'stays.mrc' });
  await page.getByRole('link', { name: /stays\.mrc/ }).waitFor();
  const late = page.waitForResponse(/\/files\/[^/?]+$/);
  released.resolve();
  await late;
  await publish(owner.call, makeMrc(5_000), { filename: 'last.mrc' });
  await page.getByRole('link', { name: /last\.mrc/ }).waitFor();
  assert.equal(await page.getByRole('link', { name: /short-lived\.mrc/ }).count(), 0);
});
