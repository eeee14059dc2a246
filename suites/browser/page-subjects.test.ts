/** The page keeps the subjects apart that sign in one after the other in one tab. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { UploadPage } from '@cryolift/protocol/messages';
import type { Page } from 'playwright-core';
import { makeMrc } from '../contract/sample.ts';
import { eventually, listFiles } from '../contract/upload.ts';
import type { Call } from '../contract/wire.ts';
import {
  drop,
  PageUnderTest,
  SLOW,
  signIn,
  signOut,
  throttle,
  uploadRow,
  waitForParts,
  writeLongMrc,
  writeMrc,
} from './page-under-test.ts';

const under = await PageUnderTest.start();
after(() => under.discard());

/** Runs in the page: dropped folders are read only after an event that the test sends. */
function gateFolders(): void {
  const { webkitGetAsEntry } = DataTransferItem.prototype;
  const { promise, resolve } = Promise.withResolvers<void>();
  addEventListener('open-folders', () => resolve());
  DataTransferItem.prototype.webkitGetAsEntry = function () {
    const entry = webkitGetAsEntry.call(this) as FileSystemDirectoryEntry | null;
    if (!entry?.isDirectory) return entry;
    const createReader = () => {
      const reader = entry.createReader();
      const readEntries: typeof reader.readEntries = (...callbacks) =>
        void promise.then(() => reader.readEntries(...callbacks));
      return { readEntries };
    };
    return { name: entry.name, isFile: false, isDirectory: true, createReader } as unknown as FileSystemEntry;
  };
}

function writeFolder(name: string): string {
  const folder = join(under.folder, name);
  mkdirSync(folder);
  for (const file of ['a.mrc', 'b.mrc']) writeFileSync(join(folder, file), makeMrc(20_000));
  return folder;
}

async function openFolders(page: Page): Promise<void> {
  await page.evaluate(() => dispatchEvent(new Event('open-folders')));
}

async function listSessions(call: Call) {
  return (await call('GET', '/uploads')).json<UploadPage>().items;
}

async function listNames(call: Call): Promise<string[]> {
  return (await listFiles(call)).map(({ filename }) => filename).sort();
}

test('sign-out: queued and running uploads wait for their owner, and none goes to the next subject', async () => {
  const [one, other] = [under.newOwner(), under.newOwner()];
  const names = ['1.mrc', '2.mrc', '3.mrc', '4.mrc', '5.mrc', '6.mrc'];
  const page = await under.open(one);
  await throttle(page, SLOW);
  const paths = names.map((name) => writeMrc(under.folder, name, 2));
  await drop(page, paths);
  await uploadRow(page, '1.mrc', 'running').waitFor();
  await uploadRow(page, '6.mrc', 'queued').waitFor();
  await signOut(page);
  await page.getByText('6 uploads wait here').waitFor();
  await throttle(page);
  await signIn(page, other.token);
  await page.getByText('Drop micrographs').waitFor();
  assert.equal(await page.locator('li.upload').count(), 0);
  // The same files as those of the other owner, and more.
  await drop(page, [paths[5] as string, writeMrc(under.folder, 'own.mrc', 1)]);
  await uploadRow(page, 'own.mrc', 'done').waitFor();
  await uploadRow(page, '6.mrc', 'done').waitFor();
  assert.deepEqual(await listNames(other.call), ['6.mrc', 'own.mrc']);
  assert.equal((await listSessions(other.call)).length, 2);
  assert.deepEqual(await listNames(one.call), []);
  await signOut(page);
  await signIn(page, one.token);
  await page.getByText('6 files uploaded', { exact: true }).waitFor();
  assert.deepEqual(await listNames(one.call), names);
  assert.equal((await listSessions(one.call)).length, 6, 'one upload for each file');
  assert.equal((await listSessions(other.call)).length, 2);
});

test('sign-out: a folder that is still being read belongs to the subject that dropped it', async () => {
  const [one, other] = [under.newOwner(), under.newOwner()];
  const page = await under.open(one, { before: gateFolders });
  await drop(page, [writeFolder('grid-of-one')]);
  await signOut(page);
  await signIn(page, other.token);
  await page.getByText('Drop micrographs').waitFor();
  await openFolders(page);
  await drop(page, [writeMrc(under.folder, 'of-other.mrc', 1)]);
  await uploadRow(page, 'of-other.mrc', 'done').waitFor();
  await signOut(page);
  await page.getByText('2 uploads wait here').waitFor();
  await signIn(page, one.token);
  await page.getByText('2 files uploaded', { exact: true }).waitFor();
  assert.deepEqual(await listNames(one.call), ['a.mrc', 'b.mrc']);
  assert.deepEqual(await listNames(other.call), ['of-other.mrc']);
});

test('link: the page asks while a folder is still being read that was dropped before a sign-in', async () => {
  const other = under.newOwner();
  const page = await under.openProfile({ before: gateFolders });
  await page.goto(under.server.url);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await drop(page, [writeFolder('grid-of-nobody')]);
  await page.goto(`${under.server.url}/#token=${other.token}`);
  await page.getByRole('dialog').getByRole('button', { name: 'Do not sign in' }).click();
  await openFolders(page);
  await page.getByText('2 files will be uploaded after you sign in').waitFor();
  assert.deepEqual(await listNames(other.call), []);
});

test('resume store: interrupted uploads are shown only to the subject that started them', async () => {
  const [one, other] = [under.newOwner(), under.newOwner()];
  const page = await under.open(one);
  page.on('dialog', (dialog) => dialog.accept());
  await throttle(page, SLOW);
  await drop(page, [writeLongMrc(under.folder, 'started.mrc')]);
  await waitForParts(uploadRow(page, 'started.mrc'), 2);
  await page.reload();
  await uploadRow(page, 'started.mrc', 'interrupted')
    .getByText(/\d+ of \d+ parts/)
    .waitFor();
  await signOut(page);
  // An administrator may read every upload by its id.
  await signIn(page, under.server.token({ sub: 'root', scope: 'admin' }));
  await page.getByText('Drop micrographs').waitFor();
  await throttle(page);
  await drop(page, [writeMrc(under.folder, 'root.mrc', 1)]);
  await uploadRow(page, 'root.mrc', 'done').waitFor();
  assert.equal(await page.locator('li.upload').count(), 1);
  await signOut(page);
  await signIn(page, other.token);
  await page.getByText('Drop micrographs').waitFor();
  assert.equal(await page.locator('li.upload').count(), 0);
  await signOut(page);
  await signIn(page, one.token);
  await uploadRow(page, 'started.mrc', 'interrupted').getByRole('button', { name: 'Continue' }).click();
  await uploadRow(page, 'started.mrc', 'done').waitFor();
  assert.deepEqual(await listNames(one.call), ['started.mrc']);
});

test('sign-out: the next subject sees nothing that was typed, searched or opened before', async () => {
  const [one, other] = [under.newOwner(), under.newOwner()];
  const page = await under.open(one);
  await drop(page, [writeMrc(under.folder, 'secret.mrc', 1)]);
  await uploadRow(page, 'secret.mrc', 'done').getByRole('link', { name: 'Show file' }).click();
  await page.getByRole('article', { name: 'secret.mrc' }).waitFor();
  await page.getByRole('searchbox').fill('secret');
  await signOut(page);
  await signIn(page, other.token);
  await page.getByText('No files yet').waitFor();
  assert.equal(await page.getByRole('searchbox').inputValue(), '');
  assert.equal(new URL(page.url()).hash, '#files');
  assert.equal(await page.getByText('secret.mrc').count(), 0);
});

test('live stream: a subject that signs in after an upload link reads it', async () => {
  const owner = under.newOwner();
  const { token } = (await owner.call('POST', '/links', { json: {} })).json<{ token: string }>();
  const page = await under.openProfile();
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await page.goto(`${under.server.url}/#token=${token}`);
  await page.getByRole('heading', { name: /^Upload to / }).waitFor();
  assert.ok(!asked.includes('/events'), 'a link may not read events');
  await signOut(page);
  await signIn(page, owner.token);
  await page.getByRole('link', { name: 'Activity' }).click();
  await page.getByText('Live', { exact: true }).waitFor();
});

test('live stream: a new token of the same subject reads it after one without the scope', async () => {
  const sub = 'reader';
  const page = await under.openProfile();
  const refused = page.waitForResponse((response) => new URL(response.url()).pathname === '/events');
  await page.goto(`${under.server.url}/#token=${under.server.token({ sub, scope: 'files:read' })}`);
  assert.equal((await refused).status(), 403);
  await page.goto(`${under.server.url}/#token=${under.server.token({ sub })}`);
  await page.getByRole('link', { name: 'Activity' }).click();
  await page.getByText('Live', { exact: true }).waitFor();
});

test('live stream: an HTML answer, such as a login page, is not taken for a stream', async () => {
  const owner = under.newOwner();
  const page = await under.openProfile({
    before: () => {
      const check = () => {
        const { dataset } = document.documentElement;
        if (!dataset.wasLive && document.querySelector('.live-on')) dataset.wasLive = 'yes';
      };
      new MutationObserver(check).observe(document, { subtree: true, childList: true, attributes: true });
    },
  });
  let answers = 0;
  await page.route('**/events', async (route) => {
    answers++;
    await route.fulfill({ status: 200, contentType: 'text/html', body: '<h1>Log in</h1>\n\n' });
  });
  await page.goto(`${under.server.url}/#token=${owner.token}`);
  await page.getByRole('link', { name: 'Activity' }).click();
  await eventually(
    async () => answers,
    (count) => count > 4,
  );
  await page.getByText('Updated every few seconds').waitFor();
  assert.equal(await page.locator('html[data-was-live]').count(), 0);
});
