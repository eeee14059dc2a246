/** The lifetime of an upload ends while a part of it is on its way, and while it is completed. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FileRecord, UploadRecord } from '@cryolift/protocol/messages';
import { assertFailure } from '../contract/failure.ts';
import { sha256Hex } from '../contract/sample.ts';
import { cutPart, eventually, open, openSample, partPath, putAll, readUploadRecord } from '../contract/upload.ts';
import { Connection, callAs, printHead } from '../contract/wire.ts';
import { removeFolder } from '../crash-points/deployments.ts';
import { arm, disarm, makeFolder, settingsOf } from '../disk-trouble/trouble-site.ts';
import { startServer } from '../server-under-test.ts';

const TTL_MS = 3_000;
const DRIP_MS = 200;

// Invariant 6
test('expiry: in the middle of a part and of complete', { timeout: 240_000 }, async (context) => {
  const folder = makeFolder();
  const server = await startServer({ ...settingsOf(folder), CRYOLIFT_SESSION_TTL: `${TTL_MS / 1000}s` });
  context.after(async () => {
    await server.discard();
    removeFolder(folder);
  });
  const call = callAs(server, { sub: 'ada' });
  const admin = callAs(server, { sub: 'root', scope: 'admin' });

  await context.test('a part that takes longer than the lifetime is refused, and its space is free', async () => {
    const { upload, bytes } = await openSample(call, 3);
    const part = cutPart(bytes, upload, 1);
    const authorization = `Bearer ${server.token({ sub: 'ada' })}`;
    const connection = await Connection.open(server.url);
    connection.send(printHead('PUT', partPath(upload, 1), { authorization, 'content-length': String(part.length) }));
    const isOver = async () => {
      const { status, body } = await call('GET', `/uploads/${upload.upload_id}`);
      return status === 404 || (JSON.parse(body.toString()) as UploadRecord).status === 'expired';
    };
    let sentBytes = 0;
    for (; !(await isOver()); sentBytes++) {
      connection.send(part.subarray(sentBytes, sentBytes + 1));
      await sleep(DRIP_MS);
    }
    connection.send(part.subarray(sentBytes));
    // Its row is deleted some seconds later.
    assertFailure(await connection.answer(), 'upload_expired', 'upload_not_found');
    connection.close();
    await eventually(
      async () => existsSync(join(server.dataDir, 'staging', upload.upload_id)),
      (isThere) => !isThere,
    );
  });

  await context.test('an upload that is being completed does not expire', async () => {
    const { upload: sample, bytes } = await openSample(call, 3);
    await call('DELETE', `/uploads/${sample.upload_id}`);
    arm(folder, { calls: ['storage/disk/threads/digest-worker.ts openSync'], nth: 1, lasts: true, code: 'stall' });
    const upload = await open(call, { size: bytes.length, sha256: sha256Hex(bytes) });
    await putAll(call, upload, bytes);
    const completing = call('POST', `/uploads/${upload.upload_id}/complete`);
    await eventually(
      () => readUploadRecord(call, upload),
      ({ status }) => status === 'verifying',
    );
    const { expires_at } = await readUploadRecord(call, upload);
    await eventually(
      async () => Date.now(),
      (nowMs) => nowMs > Date.parse(expires_at) + TTL_MS,
    );
    assert.equal((await admin('POST', '/admin/sweep')).status, 200);
    assert.equal((await readUploadRecord(call, upload)).status, 'verifying');
    disarm(folder);
    const first = await completing;
    assert.ok(first.status === 200 || first.status === 202, first.body.toString());
    const { file_id } = await eventually(
      () => readUploadRecord(call, upload),
      ({ status }) => status === 'completed',
    );
    const file = (await call('GET', `/files/${file_id}`)).json<FileRecord>();
    assert.equal(file.sha256, sha256Hex(bytes));
  });
});
