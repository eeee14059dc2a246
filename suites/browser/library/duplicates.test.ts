/** A file that the server has already is named before it is sent. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeMrc } from '../../contract/sample.ts';
import { listFiles, publish } from '../../contract/upload.ts';
import { drop, PageUnderTest, uploadRow } from '../page-under-test.ts';

const under = await PageUnderTest.start();
after(() => under.discard());

test('duplicates: the same bytes are not sent again unless the user wants it; other bytes are sent with a note', async () => {
  const owner = under.newOwner();
  const path = join(under.folder, 'twice.mrc');
  // Of several parts.
  writeFileSync(path, makeMrc(200_000));
  await publish(owner.call, readFileSync(path), { filename: 'twice.mrc' });
  const page = await under.open(owner);
  await drop(page, [path]);
  const row = uploadRow(page, 'twice.mrc', 'refused');
  await row.getByText('Already there, same checksum').waitFor();
  assert.equal((await listFiles(owner.call)).length, 1);
  await row.getByRole('button', { name: /anyway/i }).click();
  await uploadRow(page, 'twice.mrc', 'done').waitFor();
  assert.equal((await listFiles(owner.call)).length, 2);

  // The folder counts: elsewhere it is another file.
  const folder = join(under.folder, 'elsewhere');
  mkdirSync(folder);
  copyFileSync(path, join(folder, 'twice.mrc'));
  await drop(page, [folder]);
  await page.locator('li.upload[data-state="done"]').nth(1).waitFor();

  const other = await under.open(owner);
  const bytes = readFileSync(path);
  bytes[199_999] = (bytes[199_999] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  await drop(other, [path]);
  const changed = uploadRow(other, 'twice.mrc', 'done');
  await changed.getByText(/\d notes? about this file/).click();
  await changed.getByText('A file of this name and size is already there, with other bytes.').waitFor();
});
