/** Opening an upload: what it says, and when an open one is found again. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Limits, UploadRecord } from '@cryolift/protocol/messages';
import { findServer, PART_STEP_BYTES } from '../../server-under-test.ts';
import {
  complete,
  eventually,
  initRequest,
  open,
  openSample,
  PART_BYTES,
  putAll,
  readUploadRecord,
} from '../upload.ts';
import { callAs, callWith } from '../wire.ts';

const server = await findServer();
after(() => server.discard());
const limits = (await callWith(server, {})('GET', '/limits')).json<Limits>();

const UPLOAD_FIELDS =
  'created_at expires_at failure file_id filename metadata missing_parts mrc part_count part_size progress ' +
  'received_bytes received_parts resumed sha256 size status updated_at upload_id warnings';
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

test('init: a new upload says all that the contract names, and nothing else', async () => {
  const sha256 = 'ab'.repeat(32);
  const metadata = { grid: 'G-17', µscope: 'Krios ü' };
  const answer = await callAs(server)('POST', '/uploads/init', { json: initRequest({ sha256, metadata }) });
  assert.equal(answer.status, 201);
  const upload = answer.json<UploadRecord>();
  assert.equal(Object.keys(upload).sort().join(' '), UPLOAD_FIELDS);
  const { upload_id, created_at, updated_at, expires_at, ...rest } = upload;
  assert.match(upload_id, /^[A-Za-z0-9._~-]{1,64}$/);
  for (const time of [created_at, updated_at, expires_at]) assert.match(time, TIME);
  assert.ok(expires_at > created_at);
  assert.deepEqual(rest, {
    status: 'pending',
    filename: 'movie.mrc',
    size: 3 * PART_BYTES + 100,
    part_size: PART_BYTES,
    part_count: 4,
    received_parts: 0,
    received_bytes: 0,
    progress: 0,
    missing_parts: [[0, 3]],
    resumed: false,
    sha256,
    metadata,
    mrc: null,
    warnings: [],
    file_id: null,
    failure: null,
  });
});

test('init: what init answered is what the upload says later', async () => {
  const call = callAs(server);
  const upload = await open(call, { metadata: { a: '1' } });
  assert.deepEqual(await readUploadRecord(call, upload), upload);
});

test('init: ids sort by time', async () => {
  const call = callAs(server);
  const first = await open(call);
  await eventually(
    async () => new Date().toISOString(),
    (now) => now > first.created_at,
  );
  const second = await open(call);
  assert.ok(second.upload_id > first.upload_id);
});

test('init: a requested part size is used within the limits of the server, and clamped otherwise', async () => {
  const call = callAs(server);
  const { part_size, min_part_size, max_part_size } = limits;
  const size = 3 * part_size;
  const withoutWish = (await call('POST', '/uploads/init', { json: { filename: 'a.mrc', size } })).json<UploadRecord>();
  assert.equal(withoutWish.part_size, part_size);
  assert.equal(withoutWish.part_count, 3);
  assert.equal((await open(call, { size, part_size: min_part_size + 1 })).part_size, min_part_size + PART_STEP_BYTES);
  assert.equal((await open(call, { size, part_size: 1 })).part_size, min_part_size);
  assert.equal((await open(call, { size, part_size: 2 ** 53 - 1 })).part_size, max_part_size);
});

test('init: the last part is the rest: a size of exactly n parts has n', async () => {
  const call = callAs(server);
  for (const [size, count] of [
    [2 * PART_BYTES - 1, 2],
    [2 * PART_BYTES, 2],
    [2 * PART_BYTES + 1, 3],
  ] as const) {
    assert.equal((await open(call, { size })).part_count, count);
  }
});

test('init: a name may have any characters that no path needs', async () => {
  const call = callAs(server);
  for (const filename of [
    'Grid 17 – ünïcödé 日本 "x" \'y\' 100% #1 ?.MRC',
    `${'a'.repeat(251)}.mrc`,
    '-rf.mrc',
    '~.mrc',
    '..a.mrc',
  ]) {
    assert.equal((await open(call, { filename })).filename, filename);
  }
});

test('init: unknown fields are ignored', async () => {
  const answer = await callAs(server)('POST', '/uploads/init', { json: { ...initRequest(), colour: { deep: [1] } } });
  assert.equal(answer.status, 201);
});

test('init: init may be sent chunked; only parts must announce their length', async () => {
  const json = JSON.stringify(initRequest());
  const answer = await callAs(server)('POST', '/uploads/init', {
    headers: {
      'content-type': 'application/json',
      'transfer-encoding': 'chunked',
    },
    body: `${json.length.toString(16)}\r\n${json}\r\n0\r\n\r\n`,
  });
  assert.equal(answer.status, 201, answer.body.toString());
});

test('init: the same fingerprint and size find the open upload', async () => {
  const call = callAs(server);
  const request = initRequest({ fingerprint: 'disk-1:inode-77:mtime-123' });
  const first = await open(call, request);
  const again = await call('POST', '/uploads/init', { json: request });
  assert.equal(again.status, 200);
  assert.deepEqual(again.json<UploadRecord>(), { ...first, resumed: true });
});

test('init: another size, fingerprint or owner opens a new upload', async () => {
  const call = callAs(server);
  const request = initRequest({ fingerprint: 'f'.repeat(256) });
  const ids = [
    await open(call, request),
    await open(call, { ...request, size: request.size + 1 }),
    await open(call, { ...request, fingerprint: 'g' }),
    await open(call, initRequest()),
    await open(call, initRequest()),
    await open(callAs(server), request),
  ].map(({ upload_id }) => upload_id);
  assert.equal(new Set(ids).size, ids.length);
});

test('init: an upload that has ended is not found by its fingerprint', async () => {
  const call = callAs(server);
  const cancelled = await open(call, { fingerprint: 'f' });
  await call('DELETE', `/uploads/${cancelled.upload_id}`);
  const { upload, bytes } = await openSample(call, 2, { fingerprint: 'g' });
  await putAll(call, upload, bytes);
  assert.equal((await complete(call, upload)).status, 200);
  assert.notEqual((await open(call, { fingerprint: 'f' })).upload_id, cancelled.upload_id);
  assert.notEqual((await open(call, { fingerprint: 'g', size: bytes.length })).upload_id, upload.upload_id);
});

test('init: many inits at once with one fingerprint open one upload', async () => {
  const call = callAs(server);
  const request = initRequest({ fingerprint: 'at once' });
  const answers = await Promise.all(Array.from({ length: 8 }, () => call('POST', '/uploads/init', { json: request })));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 200, 200, 200, 200, 200, 201]);
  assert.equal(new Set(answers.map((answer) => answer.json<UploadRecord>().upload_id)).size, 1);
});
