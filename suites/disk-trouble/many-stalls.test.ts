/** More calls stall than the system's threads of the server are: what needs no disk is answered all the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complete, eventually, openSample, putAll } from '../contract/upload.ts';
import { callAs } from '../contract/wire.ts';
import { removeFolder } from '../crash-points/deployments.ts';
import { startServer } from '../server-under-test.ts';
import { arm, disarm, makeFolder, readLines, settingsOf } from './trouble-site.ts';

/** Of libuv, where the calls of the file system are made. */
const POOL_THREADS = 4;
const CALLS = ['storage/disk/file-system.ts open for writing', 'storage/disk/file-system.ts open'];

test('stalls: with all threads of the system in a call that does not return, health and limits are answered', {
  timeout: 240_000,
}, async (context) => {
  const folder = makeFolder();
  const server = await startServer(settingsOf(folder));
  context.after(async () => {
    await server.discard();
    removeFolder(folder);
  });
  arm(folder, { calls: CALLS, nth: 1, lasts: true, code: 'stall' });
  const uploads = Array.from({ length: 2 * POOL_THREADS }, async () => {
    const call = callAs(server);
    const { upload, bytes } = await openSample(call, 3);
    await putAll(call, upload, bytes);
    return await complete(call, upload);
  });
  await eventually(
    async () => readLines(folder, 'failed').length,
    (count) => count >= POOL_THREADS,
  );
  const stranger = callAs(server);
  for (const path of ['/healthz', '/limits', '/uploads', '/files'])
    assert.equal((await stranger('GET', path)).status, 200, path);
  assert.ok(readLines(folder, 'failed').length >= POOL_THREADS);
  disarm(folder);
  for (const answer of await Promise.all(uploads)) assert.equal(answer.status, 200);
});
