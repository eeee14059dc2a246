/** Going on where an upload was cut off: the server says what is missing, and only that is sent. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import type { FileRecord, StoredPartPage, UploadRecord } from '@cryolift/protocol/messages';
import { eachPart } from '@cryolift/protocol/plan';
import { findServer } from '../../server-under-test.ts';
import { EventStream } from '../event-stream.ts';
import { assertFailure } from '../failure.ts';
import { sha256Hex } from '../sample.ts';
import { complete, cutPart, initRequest, openSample, PART_BYTES, partPath, put, readUploadRecord } from '../upload.ts';
import { Connection, callAs } from '../wire.ts';

const server = await findServer();
after(() => server.discard());

test('resume: a second client finds the upload, sends what is missing, and gets the file', async () => {
  const sub = 'resumes';
  const first = callAs(server, { sub });
  const fingerprint = 'movie.mrc|1|2';
  const { upload, bytes } = await openSample(first, 12, { fingerprint });
  const sent = [0, 1, 2, 5, 7, 8, 11];
  for (const idx of sent) await put(first, upload, idx, bytes);

  const second = callAs(server, { sub });
  const answer = await second('POST', '/uploads/init', { json: initRequest({ fingerprint, size: bytes.length }) });
  assert.equal(answer.status, 200);
  const resumed = answer.json<UploadRecord>();
  assert.equal(resumed.upload_id, upload.upload_id);
  assert.equal(resumed.resumed, true);
  assert.equal(resumed.received_parts, sent.length);
  assert.deepEqual(resumed.missing_parts, [
    [3, 4],
    [6, 6],
    [9, 10],
  ]);
  const parts = (await second('GET', `/uploads/${upload.upload_id}/parts`)).json<StoredPartPage>();
  assert.deepEqual(
    parts.items.map(({ part, sha256 }) => [part, sha256]),
    sent.map((idx) => [idx, sha256Hex(cutPart(bytes, upload, idx))]),
  );
  for (const idx of eachPart(resumed.missing_parts as [number, number][])) {
    assert.equal((await put(second, upload, idx, bytes)).status, 201);
  }
  assert.equal((await complete(second, upload)).json<FileRecord>().sha256, sha256Hex(bytes));
});

test('resume: the part size of an open upload does not change', async () => {
  const call = callAs(server);
  const { upload, bytes } = await openSample(call, 3, { fingerprint: 'f' });
  await put(call, upload, 0, bytes);
  const request = initRequest({ fingerprint: 'f', size: bytes.length, part_size: 4 * PART_BYTES });
  const resumed = (await call('POST', '/uploads/init', { json: request })).json<UploadRecord>();
  assert.equal(resumed.upload_id, upload.upload_id);
  assert.equal(resumed.part_size, upload.part_size);
});

test('resume: at most 1,000 missing ranges are listed, and the parts page by page', async () => {
  const sub = 'many-parts';
  const call = callAs(server, { sub });
  const partCount = 2003;
  const { upload_id } = await openSparse(partCount, sub);
  const odd = Array.from({ length: 1001 }, (_, at) => 2 * at + 1);
  await sendZeros(upload_id, odd, sub);

  const upload = await readUploadRecord(call, { upload_id });
  assert.equal(upload.received_parts, odd.length);
  assert.equal(upload.missing_truncated, true);
  assert.deepEqual(
    upload.missing_parts,
    Array.from({ length: 1000 }, (_, at) => [2 * at, 2 * at]),
  );

  const first = (await call('GET', `/uploads/${upload_id}/parts?limit=1000`)).json<StoredPartPage>();
  assert.deepEqual(
    first.items.map(({ part }) => part),
    odd.slice(0, 1000),
  );
  const next = `/uploads/${upload_id}/parts?limit=1000&cursor=${encodeURIComponent(first.next_cursor ?? '')}`;
  const second = (await call('GET', next)).json<StoredPartPage>();
  assert.deepEqual(
    second.items.map(({ part }) => part),
    odd.slice(1000),
  );
  assert.equal(second.next_cursor, null);
  assert.equal((await call('GET', `/uploads/${upload_id}/parts`)).json<StoredPartPage>().items.length, 100);

  await sendZeros(upload_id, [0], sub);
  const after = await readUploadRecord(call, { upload_id });
  assert.equal(after.missing_parts.length, 1000);
  assert.deepEqual(after.missing_parts.at(-1), [2000, 2000]);
  await sendZeros(upload_id, [2], sub);
  const untruncated = await readUploadRecord(call, { upload_id });
  assert.equal(untruncated.missing_parts.length, 1000);
  assert.ok(!untruncated.missing_truncated);
  await call('DELETE', `/uploads/${upload_id}`);
});

/** An upload of a file of zeros; forced, since no MRC file is all zeros. */
async function openSparse(partCount: number, sub: string): Promise<UploadRecord> {
  const request = initRequest({ size: partCount * PART_BYTES, force: true });
  const answer = await callAs(server, { sub })('POST', '/uploads/init', { json: request });
  assert.equal(answer.status, 201);
  return answer.json<UploadRecord>();
}

/** Over four connections that are kept. */
async function sendZeros(upload_id: string, indexes: readonly number[], sub: string): Promise<void> {
  const queue = [...indexes];
  const body = Buffer.alloc(PART_BYTES);
  const headers = { authorization: `Bearer ${server.token({ sub })}` };
  const work = async () => {
    const connection = await Connection.open(server.url);
    for (let idx = queue.pop(); idx !== undefined; idx = queue.pop()) {
      const answer = await connection.exchange('PUT', partPath({ upload_id }, idx), { headers, body });
      assert.equal(answer.status, 201, answer.body.toString());
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: Math.min(4, indexes.length) }, work));
}

test('resume: a digest that is declared only when resuming is not dropped', async () => {
  const call = callAs(server);
  const { upload, bytes } = await openSample(call, 2, { fingerprint: 'f' });
  const sha256 = 'ab'.repeat(32);
  const request = initRequest({ fingerprint: 'f', size: bytes.length, sha256 });
  const answer = await call('POST', '/uploads/init', { json: request });
  assert.ok(answer.status < 300, answer.body.toString());
  const found = answer.json<UploadRecord>();
  assert.ok(found.upload_id !== upload.upload_id || found.sha256 === sha256, JSON.stringify(found));
});

test('resume: the metadata of the last init are merged, and an event is emitted', async () => {
  const claims = { sub: `owner-${randomUUID()}` };
  const call = callAs(server, claims);
  const { upload, bytes } = await openSample(call, 2, { fingerprint: 'f', metadata: { upload: 'A', grid: 'G7' } });
  const stream = await EventStream.open<UploadRecord>(server, `/uploads/${upload.upload_id}/events`, claims);
  await stream.next();
  const request = (metadata?: Record<string, string>) =>
    initRequest({ fingerprint: 'f', size: bytes.length, ...(metadata ? { metadata } : {}) });
  const again = await call('POST', '/uploads/init', { json: request({ upload: 'B' }) });
  assert.equal(again.status, 200);
  assert.deepEqual(again.json<UploadRecord>().metadata, { upload: 'B', grid: 'G7' });
  const received = await stream.next();
  assert.deepEqual([received?.name, received?.type], ['state', 'cryolift.upload.updated']);
  assert.deepEqual(received?.data, await readUploadRecord(call, upload));
  // Says nothing of it.
  assert.deepEqual(
    (await call('POST', '/uploads/init', { json: request() })).json<UploadRecord>().metadata.upload,
    'B',
  );
  // Too much together, though not by itself.
  const much = request({ notes: 'x'.repeat(4090) });
  assertFailure(await call('POST', '/uploads/init', { json: much }), 'invalid_request');
  for (const idx of [0, 1]) await put(call, upload, idx, bytes);
  const file = (await complete(call, upload)).json<FileRecord>();
  assert.deepEqual(file.metadata, { upload: 'B', grid: 'G7' });
  const types = (await stream.rest()).map(({ type }) => type);
  assert.equal(types.filter((type) => type === 'cryolift.upload.updated').length, 0, 'emitted once');
});

test('resume: a repeated Idempotency-Key does not bring back metadata that another init has changed', async () => {
  const call = callAs(server);
  const init = async (key: string, upload: string) => {
    const json = initRequest({ fingerprint: 'f', metadata: { upload } });
    return (await call('POST', '/uploads/init', { json, headers: { 'idempotency-key': key } })).json<UploadRecord>();
  };
  await init('first', 'A');
  assert.equal((await init('second', 'B')).metadata.upload, 'B');
  assert.equal((await init('first', 'A')).metadata.upload, 'B');
});
