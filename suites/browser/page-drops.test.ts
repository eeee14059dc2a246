/** Dropped folders with very many files, and with files that are deleted while the folder is read. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeMrc } from '../contract/sample.ts';
import { listFiles } from '../contract/upload.ts';
import { drop, PageUnderTest, uploadRow } from './page-under-test.ts';

/** Spreading this many arguments throws a RangeError in Chromium. */
const MANY = 130_000;

declare global {
  interface Window {
    /** Files of a dropped folder are opened after it resolves. */
    opening?: Promise<void>;
    letOpen?: () => void;
  }
}

const under = await PageUnderTest.start();
after(() => under.discard());

test(`drop: a folder with a folder of ${MANY} files`, { timeout: 600_000 }, async () => {
  const owner = under.newOwner();
  const page = await under.open(owner);
  const folder = join(under.folder, 'grid');
  const frames = join(folder, 'frames');
  mkdirSync(frames, { recursive: true });
  for (let frame = 0; frame < MANY; frame++) writeFileSync(join(frames, `${frame}.txt`), '');
  writeFileSync(join(folder, 'one.mrc'), makeMrc(5_000));
  await drop(page, [folder]);
  await page.getByText('130,000 files of other types').waitFor({ timeout: 540_000 });
  await uploadRow(page, 'grid/one.mrc', 'done').waitFor();
  assert.equal((await listFiles(owner.call)).length, 1);
});

test('drop: a deleted file is reported, and the other files of its folder are uploaded', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner, {
    before: () => {
      if (!isSecureContext) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      window.opening = promise;
      window.letOpen = resolve;
      const { webkitGetAsEntry } = DataTransferItem.prototype;
      DataTransferItem.prototype.webkitGetAsEntry = function () {
        const entry = webkitGetAsEntry.call(this) as FileSystemDirectoryEntry;
        const reader = entry.createReader();
        entry.createReader = () => ({
          readEntries: (onEntries, onError) =>
            reader.readEntries(async (entries) => {
              document.documentElement.dataset.listed = 'yes';
              await window.opening;
              onEntries(entries);
            }, onError),
        });
        return entry;
      };
    },
  });
  const folder = join(under.folder, 'session');
  mkdirSync(folder, { recursive: true });
  for (const name of ['a.mrc', 'b.mrc', 'c.mrc']) writeFileSync(join(folder, name), makeMrc(5_000));
  await drop(page, [folder]);
  await page.locator('html[data-listed]').waitFor({ state: 'attached' });
  rmSync(join(folder, 'b.mrc'));
  await page.evaluate(() => window.letOpen?.());
  await page.getByText('1 file or folder could not be read').waitFor();
  for (const name of ['session/a.mrc', 'session/c.mrc']) await uploadRow(page, name, 'done').waitFor();
  assert.equal((await listFiles(owner.call)).length, 2);
});
