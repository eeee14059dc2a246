/** Files that are added together: they are checked before the first byte is sent, against the quota too. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import { makeMrc } from '../../contract/sample.ts';
import { listFiles } from '../../contract/upload.ts';
import { assertAccessible } from '../accessible.ts';
import { drop, PageUnderTest, uploadRow } from '../page-under-test.ts';

const KIB = 1024;
const under = await PageUnderTest.start({ CRYOLIFT_QUOTA_BYTES: '1MiB' });
after(() => under.discard());

let folders = 0;

/** Writes files into a new folder. @returns their paths. */
function write(files: Readonly<Record<string, Uint8Array>>): string[] {
  const folder = join(under.folder, `batch-${++folders}`);
  mkdirSync(folder);
  return Object.entries(files).map(([name, bytes]) => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  });
}

const summary = (page: Page) => page.getByRole('region', { name: 'Files that were added' });

test('batch: the summary is there before the first byte, names what is refused, and the rest goes on', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner);
  const seen: string[] = [];
  await page.route('**/uploads/init', async (route) => {
    seen.push(await summary(page).innerText());
    await route.fallback();
  });
  const files = {
    'a.mrc': makeMrc(20 * KIB),
    'b.mrc': makeMrc(20 * KIB),
    'short.mrc': makeMrc(20 * KIB).subarray(0, 12 * KIB),
    'notes.docx': Buffer.from('no'),
  };
  await drop(page, write(files));
  await page.getByText('2 files uploaded', { exact: true }).waitFor();
  assert.equal(seen.length, 2);
  assert.match(seen[0] ?? '', /^4 files, 52\.0 KiB: 2 are refused\. The others are uploaded\./m);
  assert.match(seen[0] ?? '', /short\.mrc: .*8,192 bytes are missing/);
  assert.match(seen[0] ?? '', /notes\.docx: \.docx files are not accepted here/);
  assert.match(seen[0] ?? '', /After them the quota has room for 984\.0 KiB/);
  await page.getByRole('heading', { name: '2 files need your attention' }).waitFor();
  await assertAccessible(page, 'a summary with refused files');
  assert.equal((await listFiles(owner.call)).length, 2);
  await summary(page)
    .getByRole('button', { name: /^Close/ })
    .click();
  await summary(page).waitFor({ state: 'detached' });
});

test('batch: what does not fit into the quota is refused without a request, and can be tried when there is room', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner);
  await drop(page, write({ 'first.mrc': makeMrc(700 * KIB) }));
  await uploadRow(page, 'first.mrc', 'done').waitFor();
  const started: string[] = [];
  page.on('request', (request) => {
    if (new URL(request.url()).pathname === '/uploads/init') started.push(request.postDataJSON().filename);
  });
  await drop(page, write({ 'large.mrc': makeMrc(400 * KIB), 'small.mrc': makeMrc(300 * KIB) }));
  await uploadRow(page, 'small.mrc', 'done').waitFor();
  await uploadRow(page, 'large.mrc', 'refused').getByText('The quota has no room for this file').waitFor();
  assert.deepEqual(started, ['small.mrc']);
  await page.getByText('1000.0 KiB of 1.00 MiB used').waitFor();
  await page.getByText('Your quota is nearly used').waitFor();
  await assertAccessible(page, 'a quota that is nearly used');
  const [first] = (await listFiles(owner.call)).filter(({ filename }) => filename === 'first.mrc');
  await owner.call('DELETE', `/files/${first?.file_id}`);
  await uploadRow(page, 'large.mrc', 'refused').getByRole('button', { name: 'Upload anyway' }).click();
  await uploadRow(page, 'large.mrc', 'done').waitFor();
});

test('batch: files of one name are named in the summary, and both are kept', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner);
  const [one] = write({ 'same.mrc': makeMrc(20 * KIB) });
  const [other] = write({ 'same.mrc': makeMrc(21 * KIB) });
  await page.setInputFiles('input[data-input=files]', [one as string, other as string]);
  await summary(page).getByText('1 file has the same name and folder as another one').waitFor();
  await page.getByText('2 files uploaded', { exact: true }).waitFor();
  assert.equal((await listFiles(owner.call)).length, 2);
});
