/** Different files with the same name, size and time: each is published as its own file. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import type { UploadPage } from '@cryolift/protocol/messages';
import type { Page } from 'playwright-core';
import { makeMrc } from '../contract/sample.ts';
import { listFiles } from '../contract/upload.ts';
import { type Owner, PageUnderTest, SLOW, throttle, uploadRow, waitForParts } from './page-under-test.ts';

const MIB = 1024 * 1024;

const under = await PageUnderTest.start();
after(() => under.discard());

/** Two files with the same name, size, time and ends that differ in two places. @returns their paths. */
function writeTwins(name: string): [string, string] {
  const bytes = Buffer.from(makeMrc(24 * MIB));
  const paths = ['t1', 't2'].map((folder) => join(under.folder, name, folder, 'seg.mrc'));
  for (const path of paths) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    utimesSync(path, 1_700_000_000, 1_700_000_000);
    for (const at of [1.5 * MIB, 20.5 * MIB]) bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  }
  return paths as [string, string];
}

async function choose(page: Page, paths: readonly string[]): Promise<void> {
  await page.setInputFiles('input[data-input=files]', [...paths]);
}

/** The files are published, and no other file is. */
async function assertPublished({ call }: Owner, paths: readonly string[]): Promise<void> {
  const files = await listFiles(call);
  assert.deepEqual(
    files.map(({ sha256 }) => sha256).sort(),
    paths.map((path) => createHash('sha256').update(readFileSync(path)).digest('hex')).sort(),
  );
}

test('page alike: same name, size and time, chosen together: each file has a row and is published with its own digest', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner);
  const twins = writeTwins('at-once');
  await choose(page, twins);
  await page.getByText('2 files uploaded', { exact: true }).waitFor();
  assert.equal(await uploadRow(page, 'seg.mrc', 'done').count(), 2);
  await assertPublished(owner, twins);
});

test('page alike: same name, size and time, chosen one after the other: each file is published with its own digest', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner);
  const twins = writeTwins('meanwhile');
  await throttle(page, SLOW);
  await choose(page, twins.slice(0, 1));
  await waitForParts(uploadRow(page, 'seg.mrc'), 3);
  await choose(page, twins.slice(1));
  await throttle(page);
  await page.getByText('2 files uploaded', { exact: true }).waitFor();
  await assertPublished(owner, twins);
});

test('page alike: same name, size and time, one chosen to continue the other: the page reports it, and keeps both uploads', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner);
  page.on('dialog', (dialog) => dialog.accept());
  const [first, second] = writeTwins('instead');
  await throttle(page, SLOW);
  await choose(page, [first]);
  await waitForParts(uploadRow(page, 'seg.mrc'), 4);
  await page.reload();
  await uploadRow(page, 'seg.mrc', 'interrupted').getByText('Drop or choose this file again').waitFor();
  await throttle(page);
  await choose(page, [second]);
  await uploadRow(page, 'seg.mrc', 'done').getByText('another file with the same name and size').waitFor();
  await assertPublished(owner, [second]);
  const uploads = (await owner.call('GET', '/uploads')).json<UploadPage>().items;
  assert.deepEqual(uploads.map(({ status }) => status).sort(), ['completed', 'uploading']);
});
