/** `Idempotency-Key`: an init whose answer was lost is sent again and opens nothing new. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { UploadPage, UploadRecord } from '@cryolift/protocol/messages';
import { findServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { initRequest, openSample, put } from '../upload.ts';
import { type Call, callAs } from '../wire.ts';

const server = await findServer();
after(() => server.discard());

function init(call: Call, key: string, fields: Parameters<typeof initRequest>[0] = {}) {
  return call('POST', '/uploads/init', { json: initRequest(fields), headers: { 'idempotency-key': key } });
}

async function countSessions(call: Call): Promise<number> {
  return (await call('GET', '/uploads')).json<UploadPage>().items.length;
}

test('idempotency: the same request with the same key finds its upload', async () => {
  const call = callAs(server);
  const first = await init(call, 'key-1');
  assert.equal(first.status, 201);
  const again = await init(call, 'key-1');
  assert.ok(again.status === 200 || again.status === 201);
  assert.equal(again.json<UploadRecord>().upload_id, first.json<UploadRecord>().upload_id);
  assert.equal(await countSessions(call), 1);
});

test('idempotency: also when its members come in another order', async () => {
  const call = callAs(server);
  const headers = { 'idempotency-key': 'key-2' };
  const first = await call('POST', '/uploads/init', { json: { filename: 'a.mrc', size: 5000 }, headers });
  const again = await call('POST', '/uploads/init', { json: { size: 5000, filename: 'a.mrc' }, headers });
  assert.equal(again.json<UploadRecord>().upload_id, first.json<UploadRecord>().upload_id);
});

test('idempotency: after stored parts the current upload is returned', async () => {
  const call = callAs(server);
  const key = { 'idempotency-key': 'key-3' };
  const { bytes } = await openSample(callAs(server));
  const json = initRequest({ size: bytes.length });
  const upload = (await call('POST', '/uploads/init', { json, headers: key })).json<UploadRecord>();
  await put(call, upload, 0, bytes);
  const again = (await call('POST', '/uploads/init', { json, headers: key })).json<UploadRecord>();
  assert.deepEqual([again.upload_id, again.received_parts, again.missing_parts], [upload.upload_id, 1, [[1, 3]]]);
});

test('idempotency: many at once open one upload', async () => {
  const call = callAs(server);
  const answers = await Promise.all(Array.from({ length: 8 }, () => init(call, 'key-4')));
  for (const { status, body } of answers) assert.ok(status === 200 || status === 201, body.toString());
  assert.equal(new Set(answers.map((answer) => answer.json<UploadRecord>().upload_id)).size, 1);
  assert.equal(await countSessions(call), 1);
});

test('idempotency: a key that was used for another request is a conflict', async () => {
  const call = callAs(server);
  await init(call, 'key-5');
  for (const fields of [
    { size: 5000 },
    { filename: 'b.mrc' },
    { sha256: 'ab'.repeat(32) },
    { metadata: { a: 'b' } },
    { force: true },
  ]) {
    assertFailure(await init(call, 'key-5', fields), 'idempotency_conflict');
  }
  assert.equal(await countSessions(call), 1);
});

test('idempotency: a refused request uses no key up', async () => {
  const call = callAs(server);
  assertFailure(await init(call, 'key-6', { filename: '../x.mrc' }), 'invalid_filename');
  assert.equal((await init(call, 'key-6')).status, 201);
});

test('idempotency: keys belong to their owner; other keys open other uploads', async () => {
  const call = callAs(server);
  const ids = [await init(call, 'key-7'), await init(call, 'key-8'), await init(callAs(server), 'key-7')].map(
    (answer) => answer.json<UploadRecord>().upload_id,
  );
  assert.equal(new Set(ids).size, 3);
});

test('idempotency: a key that is none is refused', async () => {
  const call = callAs(server);
  for (const key of ['', 'x'.repeat(300)]) assertFailure(await init(call, key), 'invalid_request');
  assert.equal(await countSessions(call), 0);
});
