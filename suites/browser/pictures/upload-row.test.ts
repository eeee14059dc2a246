/** What the row of an upload shows of a file while it arrives: its kind, and a section. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { assertAccessible } from '../accessible.ts';
import { drop, PageUnderTest, throttle, uploadRow, waitForParts, writeMrc } from '../page-under-test.ts';

const under = await PageUnderTest.start();
after(() => under.discard());

test('upload row: a section is shown while the file arrives, and again as soon as the central one is there', async () => {
  const path = writeMrc(under.folder, 'early.mrc', 5, { ispg: 1, m: [4096, 2048, 5] });
  const page = await under.open(under.newOwner());
  await throttle(page, 2 * 1024 * 1024);
  await drop(page, [path]);
  const row = uploadRow(page, 'early.mrc');
  await row.getByText('Volume', { exact: true }).waitFor();
  // Section 0 is in the first nine parts, and section 2 in parts 16 to 24. A paused upload does not end under the test.
  await waitForParts(row, 12);
  await row.getByRole('button', { name: /^Pause/ }).click();
  const picture = row.getByRole('img', { name: /^Section \d of early\.mrc, which has arrived$/ });
  await picture.waitFor();
  const size = await picture.evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth);
  assert.equal(size, 128);
  assert.notEqual(await picture.getAttribute('alt'), 'Section 2 of early.mrc, which has arrived');
  await assertAccessible(page, 'an upload with a picture');
  await row.getByRole('button', { name: /^Resume/ }).click();
  await waitForParts(row, 30);
  await row.getByRole('button', { name: /^Pause/ }).click();
  await row.getByRole('img', { name: 'Section 2 of early.mrc, which has arrived' }).waitFor();
  const shots = process.env.CRYOLIFT_TEST_SHOTS;
  if (shots) await page.screenshot({ path: `${shots}/upload-row.png` });
  await throttle(page);
  await row.getByRole('button', { name: /^Resume/ }).click();
  await uploadRow(page, 'early.mrc', 'done').waitFor();
  assert.equal(await picture.count(), 0);
});

test('upload row: a stack with its .mdoc file is a tilt series before it has arrived', async () => {
  const folder = join(under.folder, 'grid');
  mkdirSync(folder);
  writeMrc(folder, 'TS_01.mrc', 3, { m: [4096, 2048, 1], cella: [4096, 2048, 1] });
  const section = (z: number) => `[ZValue = ${z}]\nTiltAngle = ${3 * z - 3}\n`;
  writeFileSync(join(folder, 'TS_01.mrc.mdoc'), `ImageFile = TS_01.mrc\n\n${[0, 1, 2].map(section).join('\n')}`);
  const page = await under.open(under.newOwner());
  await throttle(page, 1024 * 1024);
  await drop(page, [folder]);
  // The row of the .mdoc file has no such word.
  const row = uploadRow(page, 'TS_01.mrc').filter({ hasText: 'Tilt series' });
  await row.waitFor();
  assert.notEqual(await row.getAttribute('data-state'), 'done');
});
