/** Uppy Dashboard in a real browser, when the server is killed and started again. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { MIB } from '@cryolift/protocol/plan';
import { throttle } from '../../browser/page-under-test.ts';
import { awaitPercent, choose, send, startUppy, type UppyUnderTest } from './uppy-steps.ts';

const SLOW = 8 * MIB;
let uppy: UppyUnderTest;
before(async () => {
  uppy = await startUppy();
});
after(() => uppy.discard());

test('Uppy: a server that was killed and comes back is retried', async () => {
  const page = await uppy.open();
  const sent = uppy.watch(page);
  const file = uppy.makeFile('restarted.mrc', 20 * MIB);
  await choose(page, file);
  await throttle(page, SLOW);
  await send(page);
  // Beyond the first part, with what the browser has in its buffers.
  await awaitPercent(page, 65);
  await uppy.cryolift.server.kill9();
  await uppy.cryolift.server.restart();
  await throttle(page);
  await uppy.assertPublished(page, file);
  assert.equal(sent.filter(({ method }) => method === 'POST').length, 1);
  assert.ok((sent.at(-1)?.offset ?? 0) >= 8 * MIB, `it began again at ${sent.at(-1)?.offset}`);
});
