/** Files that look alike, chosen in the page: each becomes a file of its own. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import type { SessionPage } from '@cryolift/protocol/messages';
import type { Page } from 'playwright-core';
import { makeMrc } from '../contract/sample.ts';
import { listFiles } from '../contract/upload.ts';
import { type Owner, PageUnderTest, throttle, uploadRow, waitForParts } from './page-under-test.ts';

const MIB = 1024 * 1024;
/** Slow enough to come in between, also on a busy machine; bytes a second. */
const SLOW = MIB;

const under = await PageUnderTest.start();
after(() => under.discard());

/** Two files of one name, size and time with the same ends, that differ in two places. @returns their paths. */
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

/** Each of them is published, and nothing else. */
async function assertPublished({ call }: Owner, paths: readonly string[]): Promise<void> {
  const files = await listFiles(call);
  assert.deepEqual(
    files.map(({ sha256 }) => sha256).sort(),
    paths.map((path) => createHash('sha256').update(readFileSync(path)).digest('hex')).sort(),
  );
}

test('chosen at once: each has a row and is published with its own digest', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner);
  const twins = writeTwins('at-once');
  await choose(page, twins);
  await page.getByText('2 files uploaded', { exact: true }).waitFor();
  assert.equal(await uploadRow(page, 'seg.mrc', 'done').count(), 2);
  await assertPublished(owner, twins);
});

test('the second one chosen while the first is under way: each is published with its own digest', async () => {
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

test('the second one given to go on with the first: the page says so, and the upload of the first is kept', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner);
  page.on('dialog', (dialog) => dialog.accept());
  const [first, second] = writeTwins('instead');
  await throttle(page, SLOW);
  await choose(page, [first]);
  await waitForParts(uploadRow(page, 'seg.mrc'), 4);
  await page.reload();
  await uploadRow(page, 'seg.mrc', 'away').getByText('Drop this file again').waitFor();
  await throttle(page);
  await choose(page, [second]);
  await uploadRow(page, 'seg.mrc', 'done').getByText('another file that looks like this one').waitFor();
  await assertPublished(owner, [second]);
  const sessions = (await owner.call('GET', '/uploads')).json<SessionPage>().items;
  assert.deepEqual(sessions.map(({ status }) => status).sort(), ['completed', 'uploading']);
});
