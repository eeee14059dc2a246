/** Uppy Dashboard in a real browser, as the page of `docs/guides/uppy.md` has it, with an upload link. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { MIB } from '@cryolift/protocol/plan';
import { throttle } from '../../browser/page-under-test.ts';
import { awaitPercent, choose, press, send, startUppy, type UppyUnderTest } from './uppy-steps.ts';

const SLOW = 4 * MIB;
let uppy: UppyUnderTest;
before(async () => {
  uppy = await startUppy();
});
after(() => uppy.discard());

test('Uppy: a file that is chosen becomes a file of the owner of the link', async () => {
  const page = await uppy.open();
  const file = uppy.makeFile('chosen.mrc', 5 * MIB);
  await choose(page, file);
  await send(page);
  await uppy.assertPublished(page, file);
});

test('Uppy: pause and resume continue at the offset', async () => {
  const page = await uppy.open();
  const sent = uppy.watch(page);
  const file = uppy.makeFile('paused.mrc', 8 * MIB);
  await choose(page, file);
  await throttle(page, SLOW);
  await send(page);
  await awaitPercent(page, 30);
  await press(page, 'Pause');
  await page.getByText('Upload paused').waitFor();
  await throttle(page);
  await press(page, 'Resume');
  await uppy.assertPublished(page, file);
  assert.deepEqual(
    sent.map(({ method }) => method),
    ['POST', 'PATCH', 'HEAD', 'PATCH'],
  );
  assert.ok((sent.at(-1)?.offset ?? 0) >= MIB, 'the second PATCH begins after what was sent');
});

test('Uppy: after a reload the file is restored, and its upload continues', async () => {
  const page = await uppy.open();
  const sent = uppy.watch(page);
  const file = uppy.makeFile('reloaded.mrc', 8 * MIB);
  await choose(page, file);
  await throttle(page, SLOW);
  await send(page);
  await awaitPercent(page, 30);
  await page.reload();
  await page.getByText('Session restored').waitFor();
  await throttle(page);
  await send(page);
  await uppy.assertPublished(page, file);
  assert.equal(sent.filter(({ method }) => method === 'POST').length, 1);
  assert.ok((sent.at(-1)?.offset ?? 0) >= MIB, 'the second PATCH begins after what was sent');
});

test('Uppy: a large file is chosen again after a reload, and its upload continues', async () => {
  const page = await uppy.open();
  const sent = uppy.watch(page);
  const file = uppy.makeFile('chosen-again.mrc', 12 * MIB);
  await choose(page, file);
  await throttle(page, SLOW);
  await send(page);
  await awaitPercent(page, 30);
  await page.reload();
  await page
    .getByText(/re-select|could not fully recover|We could not/i)
    .first()
    .waitFor();
  await throttle(page);
  await press(page, 'Re-select');
  await choose(page, file);
  await send(page);
  await uppy.assertPublished(page, file);
  assert.equal(sent.filter(({ method }) => method === 'POST').length, 1);
});

test('Uppy: a file that is no MRC file is refused, and the page says why', async () => {
  const page = await uppy.open();
  await choose(page, uppy.write('noise.mrc', Buffer.alloc(2 * MIB, 'noise')));
  await send(page);
  await page.getByText('Upload failed').first().waitFor();
  const dialog = page.waitForEvent('dialog');
  const details = press(page, 'Show error details');
  const said = await dialog;
  await Promise.all([said.accept(), details]);
  assert.match(said.message(), /MRC/);
  assert.deepEqual(
    (await uppy.cryolift.listFiles()).filter(({ filename }) => filename === 'noise.mrc'),
    [],
  );
});
