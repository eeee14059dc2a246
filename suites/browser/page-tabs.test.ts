/** One upload and several tabs of one browser. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { UploadPage } from '@cryolift/protocol/messages';
import { eventually } from '../contract/upload.ts';
import type { Call } from '../contract/wire.ts';
import { drop, PageUnderTest, SLOW, throttle, uploadRow, waitForParts, writeLongMrc } from './page-under-test.ts';

const under = await PageUnderTest.start();
after(() => under.discard());

async function listSessions(call: Call) {
  return (await call('GET', '/uploads')).json<UploadPage>().items;
}

test('two tabs: the second tab shows the upload, does not take it over, and opens no second event stream', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner);
  let streams = 0;
  page.context().on('request', (request) => {
    if (new URL(request.url()).pathname === '/events') streams++;
  });
  await throttle(page, SLOW);
  await drop(page, [writeLongMrc(under.folder, 'movie.mrc')]);
  await waitForParts(uploadRow(page, 'movie.mrc'), 2);
  const other = await page.context().newPage();
  await other.goto(`${under.server.url}/#token=${owner.token}`);
  await other.getByText('Drop micrographs').waitFor();
  await other.getByRole('link', { name: 'Activity' }).click();
  await other.getByText('Live', { exact: true }).waitFor();
  const row = other.locator('li.activity', { hasText: 'movie.mrc' });
  await row.getByText('Uploading').waitFor();
  await throttle(page);
  await row.getByText('Completed').waitFor();
  await other.getByRole('link', { name: 'Upload' }).click();
  assert.equal(await other.locator('li.upload').count(), 0);
  assert.equal(streams, 0, 'the first tab has opened the only one');
  // The tab that reads the stream is closed: the other one opens a stream.
  await page.close();
  await eventually(
    async () => streams,
    (count) => count === 1,
  );
});

test('two tabs: cancelling in the waiting tab does not affect the tab that uploads the file', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner);
  page.on('dialog', (dialog) => dialog.accept());
  const path = writeLongMrc(under.folder, 'both.mrc');
  await throttle(page, SLOW);
  await drop(page, [path]);
  await waitForParts(uploadRow(page, 'both.mrc'), 1);
  const other = await page.context().newPage();
  await other.goto(`${under.server.url}/#token=${owner.token}`);
  await other.getByText('Drop micrographs').waitFor();
  await drop(other, [path]);
  await uploadRow(other, 'both.mrc', 'running').getByRole('button', { name: 'Cancel' }).click();
  await uploadRow(other, 'both.mrc').waitFor({ state: 'detached' });
  await page.reload();
  await throttle(page);
  await uploadRow(page, 'both.mrc', 'interrupted').getByRole('button', { name: 'Continue' }).click();
  await uploadRow(page, 'both.mrc', 'done').waitFor();
  assert.equal((await listSessions(owner.call)).length, 1);
});
