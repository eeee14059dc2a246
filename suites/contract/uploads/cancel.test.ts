/** Cancelling an upload by its owner. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { findServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { makeMrc } from '../sample.ts';
import { complete, cutPart, openSample, PART_BYTES, partPath, publish, put, readUploadRecord } from '../upload.ts';
import { Connection, callAs, printHead } from '../wire.ts';

const server = await findServer();
after(() => server.discard());

test('cancel: a cancelled upload takes nothing more, and cancelling is safe to repeat', async () => {
  const call = callAs(server);
  const { upload, bytes } = await openSample(call);
  await put(call, upload, 0, bytes);
  for (const _ of [1, 2]) {
    const answer = await call('DELETE', `/uploads/${upload.upload_id}`);
    assert.equal(answer.status, 204);
    assert.equal(answer.body.length, 0);
  }
  assert.equal((await readUploadRecord(call, upload)).status, 'cancelled');
  assertFailure(await put(call, upload, 1, bytes), 'upload_closed');
  assertFailure(await put(call, upload, 0, bytes), 'upload_closed');
  assertFailure(await complete(call, upload), 'upload_closed');
});

test('cancel: an upload without any part can be cancelled', async () => {
  const call = callAs(server);
  const { upload } = await openSample(call);
  assert.equal((await call('DELETE', `/uploads/${upload.upload_id}`)).status, 204);
});

// Invariant 4
test('cancel: a part under way when its upload is cancelled is refused', async () => {
  const sub = 'cancels';
  const call = callAs(server, { sub });
  const { upload, bytes } = await openSample(call);
  const part = cutPart(bytes, upload, 0);
  const connection = await Connection.open(server.url);
  const headers = { authorization: `Bearer ${server.token({ sub })}`, 'content-length': String(PART_BYTES) };
  connection.send(printHead('PUT', partPath(upload, 0), { ...headers, expect: '100-continue' }));
  assert.equal((await connection.answer()).status, 100);
  connection.send(part.subarray(0, PART_BYTES / 2));
  assert.equal((await call('DELETE', `/uploads/${upload.upload_id}`)).status, 204);
  connection.send(part.subarray(PART_BYTES / 2));
  assertFailure(await connection.answer(), 'upload_closed');
  connection.close();
  assert.equal((await readUploadRecord(call, upload)).received_parts, 0);
});

test('cancel: what is a file already is not cancelled', async () => {
  const call = callAs(server);
  const file = await publish(call, makeMrc(5000));
  assertFailure(await call('DELETE', `/uploads/${file.upload_id}`), 'upload_closed');
  assert.equal((await call('GET', `/files/${file.file_id}/content`)).body.length, 5000);
});
