/** A user uploads twenty files, good and bad ones, and reads on the page what each is and whether it is good. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { FileRecord } from '@cryolift/protocol/messages';
import type { Page } from 'playwright-core';
import { eventually, listFiles } from '../contract/upload.ts';
import { assertAccessible } from './accessible.ts';
import { MIXED_FILES } from './mixed-files.ts';
import { PageUnderTest, uploadRow } from './page-under-test.ts';

const under = await PageUnderTest.start({ CRYOLIFT_ACCEPT: '.mdoc' });
after(() => under.discard());
const owner = under.newOwner();
const REFUSED = 'truncated.mrc';

let page: Page;
let files: readonly FileRecord[] = [];

before(async () => {
  page = await under.open(owner);
  const paths = MIXED_FILES.map(({ name, bytes }) => {
    writeFileSync(join(under.folder, name), bytes);
    return join(under.folder, name);
  });
  await page.setInputFiles('input[data-input=files]', paths);
  // On a busy machine, a call may be given up while the files are analyzed.
  files = await eventually(
    () => listFiles(owner.call).catch(() => []),
    ({ length }) => length === MIXED_FILES.length - 1,
  );
});

async function show(name: string): Promise<void> {
  const file = files.find(({ filename }) => filename === name) as FileRecord;
  await page.goto(`${under.server.url}/#files/${file.file_id}`);
  await page.getByRole('heading', { name, exact: true }).waitFor();
}

test('mixed files: a file that is cut off is not accepted, and the page says why', async () => {
  const row = uploadRow(page, REFUSED, 'refused');
  for (const sentence of MIXED_FILES.find(({ name }) => name === REFUSED)?.says ?? []) {
    await row.getByText(sentence).waitFor();
  }
});

for (const { name, says } of MIXED_FILES.filter((file) => file.name !== REFUSED)) {
  test(`mixed files: the page says what ${name} is and whether it is good`, async () => {
    await show(name);
    const detail = page.getByRole('article', { name, exact: true });
    for (const sentence of says) await detail.getByText(sentence).first().waitFor();
    if (name.endsWith('.mdoc')) return;
    await detail.locator('.viewer-frame img').waitFor();
  });
}

test('mixed files: the .mdoc file and its tilt series show the same session data and lead to each other', async () => {
  await show('TS_sidecar.mrc.mdoc');
  const table = page.getByRole('table', { name: 'Session data (.mdoc)' });
  for (const row of [/^Tilt angles\s+-21° to 21° in steps of 3°, 15 images$/, /^Total dose\s+45 e\/Å²$/]) {
    await table.getByRole('row', { name: row }).waitFor();
  }
  await assertAccessible(page, 'an .mdoc file');
  await table.getByRole('link', { name: 'TS_sidecar.mrc', exact: true }).click();
  await page.getByRole('heading', { name: 'TS_sidecar.mrc', exact: true }).waitFor();
  await page.getByRole('img', { name: /^Tilt of TS_sidecar\.mrc, z 0$/ }).waitFor();
  await table.getByRole('row', { name: /^Total dose\s+45 e\/Å²$/ }).waitFor();
  await page.setViewportSize({ width: 360, height: 740 });
  await assertAccessible(page, 'a tilt series, narrow');
  await table.getByRole('link', { name: 'TS_sidecar.mrc.mdoc' }).click();
  await page.getByRole('heading', { name: 'TS_sidecar.mrc.mdoc', exact: true }).waitFor();
  await assertAccessible(page, 'an .mdoc file, narrow');
  await page.setViewportSize({ width: 1280, height: 800 });
});

test('mixed files: the list finds tilt series and session data by their kind', async () => {
  await page.goto(`${under.server.url}/#files`);
  const links = page.locator('.file-link');
  for (const [kind, names] of [
    ['Tilt series', ['TS_fei.mrc', 'TS_sidecar.mrc']],
    ['Session data (.mdoc)', ['TS_sidecar.mrc.mdoc']],
  ] as const) {
    await page.getByLabel('Kind').selectOption(kind);
    await page.getByText(names.length === 1 ? '1 file found' : `${names.length} files found`).waitFor();
    await page.getByRole('link', { name: names[0], exact: true }).waitFor();
    assert.deepEqual((await links.allInnerTexts()).sort(), [...names]);
  }
  await page.getByRole('row').getByText('15 sections of TS_sidecar.mrc').waitFor();
});
