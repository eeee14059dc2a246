/** Completing: the file's record, once for all; and what stands in its way. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { FileRecord } from '@cryolift/protocol/messages';
import { findServer } from '../../server-under-test.ts';
import { assertEnvelope, assertFailure } from '../failure.ts';
import { flipBit, makeMrc, sha256, sha256Hex } from '../sample.ts';
import {
  complete,
  cutPart,
  keepsUpload,
  listFiles,
  open,
  openSample,
  PART_BYTES,
  put,
  putAll,
  putBody,
  readUploadRecord,
} from '../upload.ts';
import { callAs } from '../wire.ts';

const server = await findServer();
after(() => server.discard());

const FILE_FIELDS =
  'content_type created_at file_id filename instrument link_id metadata mrc owner part_count part_size parts_sha256 ' +
  'sha256 size upload_id uploader warnings';

test('complete: the record says all that the contract names, and is the one that GET /files answers', async () => {
  const call = callAs(server, { sub: 'record-owner' });
  const { upload, bytes } = await openSample(call, 3, { metadata: { grid: '7' } });
  await putAll(call, upload, bytes);
  const answer = await complete(call, upload);
  assert.equal(answer.status, 200);
  const file = answer.json<FileRecord>();
  assert.equal(Object.keys(file).sort().join(' '), FILE_FIELDS);
  const { file_id, created_at, content_type, mrc, ...rest } = file;
  assert.match(file_id, /^[A-Za-z0-9._~-]{1,64}$/);
  assert.match(created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.match(content_type, /^[a-z]+\/[\w.+-]+$/);
  assert.equal(mrc?.expected_size, bytes.length);
  const digests = [0, 1, 2].map((idx) => sha256(cutPart(bytes, upload, idx)));
  assert.deepEqual(rest, {
    upload_id: upload.upload_id,
    owner: 'record-owner',
    uploader: 'record-owner',
    link_id: null,
    instrument: null,
    filename: 'movie.mrc',
    size: bytes.length,
    sha256: sha256Hex(bytes),
    parts_sha256: sha256Hex(Buffer.concat(digests)),
    part_size: upload.part_size,
    part_count: 3,
    metadata: { grid: '7' },
    warnings: [],
  });
  assert.deepEqual((await call('GET', `/files/${file_id}`)).json(), file);
  assert.deepEqual(await listFiles(call), [file]);
  const ended = await readUploadRecord(call, upload);
  assert.deepEqual([ended.status, ended.file_id, ended.progress, ended.missing_parts], ['completed', file_id, 1, []]);
});

test('complete: it is safe to repeat, and to send at once: one file', async () => {
  const call = callAs(server);
  const { upload, bytes } = await openSample(call);
  await putAll(call, upload, bytes);
  const answers = await Promise.all([1, 2, 3, 4].map(() => complete(call, upload)));
  const again = await complete(call, upload, { sha256: sha256Hex(bytes) });
  const bodyless = [
    { body: '' },
    { json: {} },
    { json: null },
    { body: '', headers: { 'content-type': 'application/json' } },
  ];
  for (const extra of bodyless) answers.push(await call('POST', `/uploads/${upload.upload_id}/complete`, extra));
  for (const answer of [...answers, again]) {
    assert.equal(answer.status, 200, answer.body.toString());
    assert.deepEqual(answer.json(), answers[0]?.json());
  }
  assert.equal((await listFiles(call)).length, 1);
});

test('complete: a part whose answer was lost may be sent again after the end', async () => {
  const call = callAs(server);
  const { upload, bytes } = await openSample(call);
  await putAll(call, upload, bytes);
  await complete(call, upload);
  assert.equal((await keepsUpload(call, upload, () => put(call, upload, 0, bytes))).status, 200);
  const other = flipBit(cutPart(bytes, upload, 0), 2000);
  assertFailure(await putBody(call, upload, 0, other), 'part_conflict', 'upload_closed');
});

// Invariant 3
test('complete: an upload with missing parts is not completed, and says which', async () => {
  const call = callAs(server);
  const { upload, bytes } = await openSample(call, 5);
  const none = assertFailure(await complete(call, upload), 'upload_incomplete');
  assert.deepEqual(none.details?.missing_parts, [[0, 4]]);
  for (const idx of [0, 2]) await put(call, upload, idx, bytes);
  const some = await keepsUpload(call, upload, () => complete(call, upload));
  assert.deepEqual(assertFailure(some, 'upload_incomplete').details?.missing_parts, [
    [1, 1],
    [3, 4],
  ]);
});

for (const [when, fields, body] of [
  ['at init', { sha256: 'ab'.repeat(32) }, undefined],
  ['at complete', {}, { sha256: 'ab'.repeat(32) }],
] as const) {
  test(`complete: a wrong digest of the file, declared ${when}: never published, and nothing is lost`, async () => {
    const call = callAs(server);
    const { upload, bytes } = await openSample(call, 3, fields);
    await putAll(call, upload, bytes);
    assertFailure(await complete(call, upload, body), 'file_checksum_mismatch');
    const failed = await readUploadRecord(call, upload);
    assert.equal(failed.status, 'failed');
    assert.equal(failed.file_id, null);
    assert.equal(failed.received_bytes, bytes.length);
    assert.ok(failed.failure);
    assert.equal(failed.failure.code, 'file_checksum_mismatch');
    assertEnvelope(failed.failure);
    assertFailure(await complete(call, upload, body), 'upload_closed', 'file_checksum_mismatch');
    assertFailure(
      await putBody(call, upload, 0, flipBit(cutPart(bytes, upload, 0), 9)),
      'upload_closed',
      'part_conflict',
    );
    assert.deepEqual(await listFiles(call), []);
  });
}

// Invariant 12
test('complete: a right digest of the file, declared at both times', async () => {
  const call = callAs(server);
  const { upload, bytes } = await openSample(call);
  await putAll(call, upload, bytes);
  assert.equal(
    (await complete(call, upload, { sha256: sha256Hex(bytes) })).json<FileRecord>().sha256,
    sha256Hex(bytes),
  );
});

test('complete: what complete cannot read is refused and ends nothing', async () => {
  const call = callAs(server);
  const { upload, bytes } = await openSample(call, 2);
  await putAll(call, upload, bytes);
  const bodies = [
    { json: { sha256: 'x' } },
    { json: { sha256: 1 } },
    { json: { sha256: 'AB'.repeat(33) } },
    { json: [] },
    { json: 'text' },
    { body: '{"sha256":', headers: { 'content-type': 'application/json' } },
    { body: 'not JSON', headers: { 'content-type': 'text/plain' } },
  ];
  for (const extra of bodies) {
    const answer = await keepsUpload(call, upload, () => call('POST', `/uploads/${upload.upload_id}/complete`, extra));
    assertFailure(answer, 'invalid_request');
  }
  assert.equal((await complete(call, upload)).status, 200);
});

// Invariant 3
test('complete: a digest at complete that is not the one declared at init: no file', async () => {
  const call = callAs(server);
  const bytes = makeMrc(2 * PART_BYTES);
  const upload = await open(call, { size: bytes.length, sha256: sha256Hex(bytes) });
  await putAll(call, upload, bytes);
  assertFailure(await complete(call, upload, { sha256: 'ab'.repeat(32) }), 'invalid_request', 'file_checksum_mismatch');
  assert.deepEqual(await listFiles(call), []);
});
