/** Uploads with the page, and the interruptions that they survive. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { UploadPage } from '@cryolift/protocol/messages';
import { makeMrc } from '../contract/sample.ts';
import { listFiles } from '../contract/upload.ts';
import type { Call } from '../contract/wire.ts';
import { drop, PageUnderTest, throttle, uploadRow, waitForParts, writeLongMrc, writeMrc } from './page-under-test.ts';

const MIB = 1024 * 1024;
const SECTIONS = 25;
/** Slow enough for a test to act during an upload; bytes per second. */
const SLOW = MIB;

const under = await PageUnderTest.start({ CRYOLIFT_PORT: String(await findPort()) });
after(() => under.discard());
/** 200 MiB. */
const large = writeMrc(under.folder, 'movie.mrc', SECTIONS);
const largeSha256 = createHash('sha256').update(readFileSync(large)).digest('hex');

/** A free port, so that the server has the same port after a restart. */
async function findPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listSessions(call: Call) {
  return (await call('GET', '/uploads')).json<UploadPage>().items;
}

async function assertPublished(call: Call): Promise<void> {
  const files = await listFiles(call);
  assert.deepEqual(
    files.map(({ filename, sha256 }) => ({ filename, sha256 })),
    [{ filename: 'movie.mrc', sha256: largeSha256 }],
  );
  assert.equal((await listSessions(call)).length, 1, 'one upload, independent of the number of interruptions');
}

test('upload: 200 MiB are dropped, paused, resumed and published, and the header is shown at once', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner, {
    before: () => {
      // The headless browser has no screen to keep on.
      const request = async () => {
        document.documentElement.dataset.awake = 'yes';
        return { release: async () => delete document.documentElement.dataset.awake };
      };
      Object.defineProperty(navigator, 'wakeLock', { value: { request } });
    },
  });
  const awake = page.locator('html[data-awake]');
  await throttle(page, SLOW);
  await drop(page, [large]);
  const row = uploadRow(page, 'movie.mrc');
  await awake.waitFor();
  await row.getByText('4,096 × 2,048 × 25').waitFor();
  await waitForParts(row, 3);
  await row.getByRole('button', { name: 'Pause' }).click();
  const paused = uploadRow(page, 'movie.mrc', 'paused');
  await paused.waitFor();
  await awake.waitFor({ state: 'detached' });
  assert.equal(await page.title(), 'Cryolift');
  const [before] = await listSessions(owner.call);
  assert.ok(before && before.received_parts >= 3 && before.received_parts < before.part_count);
  await paused.getByRole('button', { name: 'Resume' }).click();
  await page.waitForFunction(() => /^\d+ % · Cryolift$/.test(document.title));
  await throttle(page);
  await uploadRow(page, 'movie.mrc', 'done').waitFor();
  await assertPublished(owner.call);
});

test('reload: the browser asks first, and one click continues the upload where it stopped', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner);
  const questions: string[] = [];
  page.on('dialog', async (dialog) => {
    questions.push(dialog.type());
    await dialog.accept();
  });
  await throttle(page, SLOW);
  await drop(page, [large]);
  await waitForParts(uploadRow(page, 'movie.mrc'), 4);
  await page.reload();
  const row = uploadRow(page, 'movie.mrc', 'interrupted');
  await row.getByText(/\d+ of \d+ parts/).waitFor();
  assert.deepEqual(questions, ['beforeunload']);
  await throttle(page);
  await row.getByRole('button', { name: 'Continue' }).click();
  await uploadRow(page, 'movie.mrc', 'done').waitFor();
  await assertPublished(owner.call);
});

test('reload without file handles: a chosen file is continued when it is dropped again', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner, {
    before: () => {
      Reflect.deleteProperty(window, 'showOpenFilePicker');
      Reflect.deleteProperty(DataTransferItem.prototype, 'getAsFileSystemHandle');
    },
  });
  page.on('dialog', (dialog) => dialog.accept());
  await throttle(page, SLOW);
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    page.getByRole('button', { name: 'Choose files' }).click(),
  ]);
  await chooser.setFiles(large);
  await waitForParts(uploadRow(page, 'movie.mrc'), 4);
  await page.reload();
  const row = uploadRow(page, 'movie.mrc', 'interrupted');
  await row.getByText('Drop or choose this file again').waitFor();
  assert.equal(await row.getByRole('button', { name: 'Continue' }).count(), 0);
  await throttle(page);
  await drop(page, [large]);
  await uploadRow(page, 'movie.mrc', 'done').waitFor();
  assert.equal(await page.locator('li.upload').count(), 1);
  await assertPublished(owner.call);
});

test('server killed: the page reports it, waits, and continues when the server is back', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner);
  await throttle(page, SLOW);
  await drop(page, [large]);
  await waitForParts(uploadRow(page, 'movie.mrc'), 4);
  await under.server.kill9();
  await page.getByText('The server does not answer').waitFor();
  await throttle(page);
  await under.server.restart();
  await uploadRow(page, 'movie.mrc', 'done').waitFor();
  assert.equal(await page.getByText('The server does not answer').count(), 0);
  await assertPublished(owner.call);
});

test('no network: the page reports it, and continues when the network is back', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner);
  await throttle(page, SLOW);
  await drop(page, [writeLongMrc(under.folder, 'train.mrc')]);
  await waitForParts(uploadRow(page, 'train.mrc'), 2);
  await throttle(page, 0);
  await page.getByText('No network. Uploads continue').waitFor();
  await throttle(page);
  await uploadRow(page, 'train.mrc', 'done').waitFor();
  assert.equal(await page.getByText('No network').count(), 0);
});

test('cancel: an upload is cancelled after a confirmation, and its space is freed', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner);
  await throttle(page, SLOW);
  await drop(page, [large]);
  const row = uploadRow(page, 'movie.mrc');
  await waitForParts(row, 2);
  await row.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Keep it' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await row.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel the upload' }).click();
  await row.waitFor({ state: 'detached' }).catch(async (cause) => {
    throw new Error(await row.innerText(), { cause });
  });
  const [upload] = await listSessions(owner.call);
  assert.equal(upload?.status, 'cancelled');
  await page.reload();
  await page.getByText('Drop micrographs').waitFor();
  assert.equal(await page.locator('li.upload').count(), 0);
});

test('resume store: a browser database that never answers does not delay an upload', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner, {
    before: () => {
      IDBFactory.prototype.open = () => new EventTarget() as IDBOpenDBRequest;
    },
  });
  await drop(page, [writeMrc(under.folder, 'not-stored.mrc', 1)]);
  await uploadRow(page, 'not-stored.mrc', 'done').waitFor();
});

test('header check: a wrong header is refused before any byte is sent, unless the upload is forced', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner);
  const short = join(under.folder, 'short.mrc');
  writeFileSync(short, makeMrc(100_000).subarray(0, 60_000));
  const note = join(under.folder, 'note.docx');
  writeFileSync(note, 'no');
  await drop(page, [short, note]);
  const refused = uploadRow(page, 'short.mrc', 'refused');
  await refused.getByText('40,000 bytes are missing').waitFor();
  await uploadRow(page, 'note.docx', 'refused').getByText('.docx files are not accepted here').waitFor();
  assert.deepEqual(await listSessions(owner.call), []);
  await refused.getByRole('button', { name: 'Upload anyway' }).click();
  await uploadRow(page, 'short.mrc', 'done').waitFor();
  assert.equal((await listFiles(owner.call))[0]?.size, 60_000);
});

test('folder: accepted files are uploaded with their paths, and the number of other files is shown', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner);
  const folder = join(under.folder, 'grid');
  mkdirSync(join(folder, 'square'), { recursive: true });
  for (const name of ['a.mrc', 'square/a.mrc', 'square/b.mrcs']) writeFileSync(join(folder, name), makeMrc(20_000));
  writeFileSync(join(folder, 'square', 'thumbs.db'), 'no');
  await drop(page, [folder]);
  await page.getByText('3 files uploaded', { exact: true }).waitFor();
  await page.getByText('1 file of other types').waitFor();
  const paths = (await listFiles(owner.call)).map(({ metadata }) => metadata.path).sort();
  assert.deepEqual(paths, ['grid/a.mrc', 'grid/square/a.mrc', 'grid/square/b.mrcs']);
});

test('changed file: a file that changes during its upload is uploaded again with its new content', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner);
  const path = writeMrc(under.folder, 'rewritten.mrc', 4);
  await throttle(page, SLOW);
  await drop(page, [path]);
  await waitForParts(uploadRow(page, 'rewritten.mrc'), 2);
  await page.evaluate(async () => {
    const handle = await (await navigator.storage.getDirectory()).getFileHandle('rewritten.mrc');
    const writable = await handle.createWritable({ keepExistingData: true });
    const { size } = await handle.getFile();
    await writable.write({ type: 'write', position: size, data: 'another section' });
    await writable.close();
  });
  await throttle(page);
  await uploadRow(page, 'rewritten.mrc', 'failed').getByRole('button', { name: 'Start again' }).click();
  await uploadRow(page, 'rewritten.mrc', 'done').waitFor();
  const sha256 = createHash('sha256').update(readFileSync(path)).update('another section').digest('hex');
  assert.deepEqual(
    (await listFiles(owner.call)).map((file) => file.sha256),
    [sha256],
  );
});

test('changed file: an interrupted upload of a changed file does not mix old and new parts', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner);
  page.on('dialog', (dialog) => dialog.accept());
  const path = writeMrc(under.folder, 'changing.mrc', 8);
  await throttle(page, SLOW);
  await drop(page, [path]);
  await waitForParts(uploadRow(page, 'changing.mrc'), 2);
  await page.reload();
  const row = uploadRow(page, 'changing.mrc');
  await row.getByRole('button', { name: 'Continue' }).waitFor();
  await page.evaluate(async () => {
    const handle = await (await navigator.storage.getDirectory()).getFileHandle('changing.mrc');
    const writable = await handle.createWritable({ keepExistingData: true });
    const { size } = await handle.getFile();
    await writable.write({ type: 'write', position: size, data: 'another section' });
    await writable.close();
  });
  await row.getByRole('button', { name: 'Continue' }).click();
  await row.getByText('The file has changed since its upload started').waitFor();
  await throttle(page);
  await row.getByRole('button', { name: 'Start again' }).click();
  await uploadRow(page, 'changing.mrc', 'done').waitFor();
  const uploads = await listSessions(owner.call);
  assert.deepEqual(uploads.map(({ status }) => status).sort(), ['cancelled', 'completed']);
});
