/** Interrupted uploads after a reload while the server answers with errors. */
import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, rmSync, utimesSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { UploadPage } from '@cryolift/protocol/messages';
import type { Page } from 'playwright-core';
import { eventually, listFiles } from '../contract/upload.ts';
import {
  drop,
  type Owner,
  PageUnderTest,
  SLOW,
  throttle,
  uploadRow,
  waitForParts,
  writeLongMrc,
} from './page-under-test.ts';

const NAMES = ['one.mrc', 'two.mrc', 'three.mrc'];

const under = await PageUnderTest.start();
after(() => under.discard());

async function listSessions({ call }: Owner) {
  return (await call('GET', '/uploads')).json<UploadPage>().items;
}

/** Uploads three files until each has some parts. */
async function begin(owner: Owner): Promise<Page> {
  const page = await under.open(owner);
  page.on('dialog', (dialog) => dialog.accept());
  await throttle(page, SLOW);
  await drop(
    page,
    NAMES.map((name) => writeLongMrc(under.folder, name)),
  );
  for (const name of NAMES) await waitForParts(uploadRow(page, name), 1);
  return page;
}

test('reload: a single 502 of a proxy hides no upload', async () => {
  const owner = under.newOwner();
  const page = await begin(owner);
  let refusals = 0;
  await page.route('**/uploads/*', async (route) => {
    if (refusals > 0 || route.request().method() !== 'GET') return await route.fallback();
    refusals++;
    await route.fulfill({ status: 502, contentType: 'text/html', body: '<h1>Bad gateway</h1>' });
  });
  await page.reload();
  for (const name of NAMES)
    await uploadRow(page, name, 'interrupted')
      .getByText(/\d+ of \d+ parts/)
      .waitFor();
  assert.equal(refusals, 1);
  await throttle(page);
  await page.getByRole('button', { name: 'Resume all' }).click();
  for (const name of NAMES) await uploadRow(page, name, 'done').waitFor();
  assert.equal((await listSessions(owner)).length, 3);
  assert.equal((await listFiles(owner.call)).length, 3);
});

test('reload: an upload without an answer of the server is listed with the error, and is cancelled by its id', async () => {
  const owner = under.newOwner();
  const page = await begin(owner);
  const silent = (await listSessions(owner)).find(({ filename }) => filename === 'two.mrc');
  await page.route(`**/uploads/${silent?.upload_id}`, async (route) => {
    if (route.request().method() !== 'GET') return await route.fallback();
    await route.fulfill({ status: 502, contentType: 'text/html', body: '<h1>Bad gateway</h1>' });
  });
  await page.reload();
  for (const name of ['one.mrc', 'three.mrc']) {
    await uploadRow(page, name, 'interrupted')
      .getByText(/\d+ of \d+ parts/)
      .waitFor();
  }
  const row = uploadRow(page, 'two.mrc', 'interrupted');
  await row.getByText('the answer (502) does not come from a Cryolift server').waitFor();
  await row.getByRole('button', { name: 'Cancel' }).click();
  await row.waitFor({ state: 'detached' });
  await eventually(
    async () => (await listSessions(owner)).find(({ filename }) => filename === 'two.mrc')?.status,
    (status) => status === 'cancelled',
  );
});

test('reload: a 502 of GET /whoami signs nobody out', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner);
  let refusals = 0;
  await page.route('**/whoami', async (route) => {
    if (refusals > 0) return await route.fallback();
    refusals++;
    await route.fulfill({ status: 502, contentType: 'text/html', body: '<h1>Bad gateway</h1>' });
  });
  await page.reload();
  await page.getByText('Drop micrographs').waitFor();
  assert.equal(refusals, 1);
});

test('reload: of two files that differ only in their folder, the dropped one continues', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner);
  page.on('dialog', (dialog) => dialog.accept());
  const folder = join(under.folder, 'grids');
  const time = new Date('2026-11-01T12:00:00Z');
  for (const square of ['one', 'two']) {
    mkdirSync(join(folder, square), { recursive: true });
    // The same size and time, with other bytes.
    const path = writeLongMrc(join(folder, square), 'alike.mrc');
    const file = openSync(path, 'r+');
    writeSync(file, square, 5_000_000);
    closeSync(file);
    utimesSync(path, time, time);
  }
  await throttle(page, SLOW);
  await drop(page, [folder]);
  const rows = ['grids/one/alike.mrc', 'grids/two/alike.mrc'];
  for (const name of rows) await waitForParts(uploadRow(page, name), 1);
  await page.reload();
  for (const name of rows)
    await uploadRow(page, name, 'interrupted')
      .getByText(/\d+ of \d+ parts/)
      .waitFor();
  await throttle(page);
  rmSync(join(folder, 'one'), { recursive: true });
  await drop(page, [folder]);
  await uploadRow(page, 'grids/two/alike.mrc', 'done').waitFor();
  await uploadRow(page, 'grids/one/alike.mrc', 'interrupted').waitFor();
  assert.equal((await listSessions(owner)).length, 2);
  const paths = (await listFiles(owner.call)).map(({ metadata }) => metadata.path);
  assert.deepEqual(paths, ['grids/two/alike.mrc']);
});
