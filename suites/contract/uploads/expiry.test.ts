/** Expiry: unused uploads end, their space is freed, and their clients get upload_expired. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { UploadPage } from '@cryolift/protocol/messages';
import { startServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { makeMrc } from '../sample.ts';
import { complete, eventually, initRequest, open, openSample, publish, put, readUploadRecord } from '../upload.ts';
import { callAs } from '../wire.ts';

const server = await startServer({ CRYOLIFT_SESSION_TTL: '10s', CRYOLIFT_QUOTA_BYTES: '1MiB' });
after(() => server.discard());

test('expiry: an upload that was left alone expires, and frees its space', async () => {
  const call = callAs(server);
  const { upload, bytes } = await openSample(call, 10, { fingerprint: 'f' });
  await put(call, upload, 1, bytes);
  const file = await publish(callAs(server), makeMrc(3000));
  const expired = await eventually(
    () => readUploadRecord(call, upload),
    ({ status }) => status === 'expired',
  );
  assert.equal(expired.file_id, null);
  await eventually(
    () => readdir(join(server.dataDir, 'staging')),
    (staged) => staged.length === 0,
  );
  assertFailure(await put(call, upload, 2, bytes), 'upload_expired');
  assertFailure(await put(call, upload, 1, bytes), 'upload_expired');
  assertFailure(await complete(call, upload), 'upload_expired');
  const listed = (await call('GET', '/uploads?status=expired')).json<UploadPage>().items;
  assert.deepEqual(
    listed.map(({ upload_id }) => upload_id),
    [upload.upload_id],
  );
  const cancelled = await call('DELETE', `/uploads/${upload.upload_id}`);
  if (cancelled.status !== 204) assertFailure(cancelled, 'upload_expired', 'upload_closed');

  const anew = await open(call, initRequest({ size: bytes.length, fingerprint: 'f' }));
  assert.notEqual(anew.upload_id, upload.upload_id);
  assert.equal((await open(call, { size: 300_000 })).status, 'pending', 'the quota is free again');
  assert.ok(file.file_id, 'files do not expire');
});

test('expiry: a failed upload keeps its bytes until it expires', async () => {
  const call = callAs(server);
  const { upload, bytes } = await openSample(call, 2, { sha256: 'ab'.repeat(32) });
  for (const idx of [0, 1]) await put(call, upload, idx, bytes);
  assertFailure(await complete(call, upload), 'file_checksum_mismatch');
  assert.equal((await readUploadRecord(call, upload)).status, 'failed');
  await eventually(
    () => readUploadRecord(call, upload),
    ({ status }) => status === 'expired',
  );
});
