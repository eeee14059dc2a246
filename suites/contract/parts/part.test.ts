/** Storing parts: what is stored, what is refused, and that a refusal changes nothing. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { PartReceipt, StoredPartPage, UploadRecord } from '@cryolift/protocol/messages';
import { findServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { digestHeader, flipBit, sha256Hex } from '../sample.ts';
import { cutPart, keepsUpload, openSample, PART_BYTES, partPath, put, putBody, readUploadRecord } from '../upload.ts';
import { type Call, Connection, callAs, printHead } from '../wire.ts';

const server = await findServer();
after(() => server.discard());

async function readDigests(call: Call, { upload_id }: UploadRecord): Promise<Record<number, string>> {
  const page = (await call('GET', `/uploads/${upload_id}/parts`)).json<StoredPartPage>();
  return Object.fromEntries(page.items.map(({ part, sha256 }) => [part, sha256]));
}

// Invariant 1
test('part: a stored part is acknowledged with its digest and the progress', async () => {
  const call = callAs(server);
  const { upload, bytes } = await openSample(call, 4);
  const answer = await put(call, upload, 2, bytes);
  assert.equal(answer.status, 201);
  assert.deepEqual(answer.json<PartReceipt>(), {
    upload_id: upload.upload_id,
    part: 2,
    size: PART_BYTES,
    sha256: sha256Hex(cutPart(bytes, upload, 2)),
    deduplicated: false,
    received_parts: 1,
    received_bytes: PART_BYTES,
    progress: PART_BYTES / bytes.length,
    status: 'uploading',
  });
  const { status, received_parts, received_bytes, progress, missing_parts } = await readUploadRecord(call, upload);
  assert.deepEqual(
    { status, received_parts, received_bytes, progress, missing_parts },
    {
      status: 'uploading',
      received_parts: 1,
      received_bytes: PART_BYTES,
      progress: PART_BYTES / bytes.length,
      missing_parts: [
        [0, 1],
        [3, 3],
      ],
    },
  );
});

test('part: the last part is as short as it is; all parts make a progress of 1', async () => {
  const call = callAs(server);
  const { upload, bytes } = await openSample(call, 3);
  for (const idx of [2, 0]) assert.equal((await put(call, upload, idx, bytes)).status, 201);
  const last = (await put(call, upload, 1, bytes)).json<PartReceipt>();
  assert.deepEqual([last.received_parts, last.received_bytes, last.progress], [3, bytes.length, 1]);
  assert.deepEqual((await readUploadRecord(call, upload)).missing_parts, []);
});

test('part: a part that says where it begins is stored there, or nowhere', async () => {
  const call = callAs(server);
  const { upload, bytes } = await openSample(call, 4);
  const body = cutPart(bytes, upload, 2);
  await keepsUpload(call, upload, async () => {
    for (const offset of ['0', String(PART_BYTES), String(2 * PART_BYTES + 1), '-1', '1e3', `0${2 * PART_BYTES}`, '']) {
      const answer = await call('PUT', partPath(upload, 2), { body, headers: { 'upload-offset': offset } });
      assertFailure(answer, 'invalid_request');
    }
  });
  const headers = { 'upload-offset': String(2 * PART_BYTES) };
  assert.equal((await call('PUT', partPath(upload, 2), { body, headers })).status, 201);
});

test('part: the upload lives on for its whole time after each part', async () => {
  const call = callAs(server);
  const { upload, bytes } = await openSample(call);
  await put(call, upload, 0, bytes);
  assert.ok((await readUploadRecord(call, upload)).expires_at > upload.expires_at);
});

test('part: a part needs no digest, and its Content-Type says nothing', async () => {
  const call = callAs(server);
  const types = [
    'application/json',
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'nonsense',
  ];
  const { upload, bytes } = await openSample(call, types.length + 1);
  for (const [idx, type] of types.entries()) {
    const answer = await putBody(call, upload, idx, cutPart(bytes, upload, idx), { 'content-type': type });
    assert.equal(answer.status, 201, `${type}: ${answer.body}`);
    assert.equal(answer.json<PartReceipt>().sha256, sha256Hex(cutPart(bytes, upload, idx)));
  }
});

test('part: the same bytes again answer 200 and change nothing', async () => {
  const call = callAs(server);
  const { upload, bytes } = await openSample(call);
  const first = (await put(call, upload, 1, bytes)).json<PartReceipt>();
  const again = await keepsUpload(call, upload, () => put(call, upload, 1, bytes));
  assert.equal(again.status, 200);
  assert.deepEqual(again.json<PartReceipt>(), { ...first, deduplicated: true });
  const undigested = await keepsUpload(call, upload, () => putBody(call, upload, 1, cutPart(bytes, upload, 1), {}));
  assert.equal(undigested.status, 200);
});

// Invariant 2
test('part: other bytes for a stored part are a conflict, and the stored ones stay', async () => {
  const call = callAs(server);
  const { upload, bytes } = await openSample(call);
  await put(call, upload, 1, bytes);
  const other = flipBit(cutPart(bytes, upload, 1), 7);
  for (const headers of [{ 'content-digest': digestHeader(other) }, {}]) {
    const answer = await keepsUpload(call, upload, () => putBody(call, upload, 1, other, headers));
    assertFailure(answer, 'part_conflict');
  }
  assert.equal((await readDigests(call, upload))[1], sha256Hex(cutPart(bytes, upload, 1)));
});

// Invariants 1, 12
test('part: a flipped byte is noticed, nothing is recorded, and the retry succeeds', async () => {
  const call = callAs(server);
  const { upload, bytes } = await openSample(call);
  const part = cutPart(bytes, upload, 1);
  const headers = { 'content-digest': digestHeader(part) };
  const damaged = await keepsUpload(call, upload, () => putBody(call, upload, 1, flipBit(part, 40_000), headers));
  assertFailure(damaged, 'part_checksum_mismatch');
  assert.deepEqual(await readDigests(call, upload), {});
  assert.equal((await putBody(call, upload, 1, part, headers)).status, 201);
});

test('no digest is ever ignored: one that is not known here is refused, one that is malformed, too', async () => {
  const call = callAs(server);
  const { upload, bytes } = await openSample(call);
  const part = cutPart(bytes, upload, 0);
  const good = digestHeader(part);
  const base64 = good.slice('sha-256=:'.length, -1);
  const refused: Record<string, string>[] = [
    { 'content-digest': `sha-512=:${Buffer.alloc(64).toString('base64')}:` },
    { 'content-digest': 'md5=:1B2M2Y8AsgTpgAmY7PhCfg==:' },
    { 'content-digest': 'crc32c=:AAAAAA==:' },
    { 'content-digest': `${good}, sha-512=:${Buffer.alloc(64).toString('base64')}:` },
    { 'content-digest': `sha-512=:${Buffer.alloc(64).toString('base64')}:, ${good}` },
    { 'content-digest': base64 },
    { 'content-digest': `sha-256=${base64}` },
    { 'content-digest': `sha-256=:${base64.slice(0, -4)}:` },
    { 'content-digest': `sha-256=:${sha256Hex(part)}:` },
    { 'content-digest': 'sha-256' },
    { 'content-digest': '' },
    { 'content-md5': '1B2M2Y8AsgTpgAmY7PhCfg==' },
    { digest: `sha-256=${'A'.repeat(43)}=` },
    { 'repr-digest': digestHeader(bytes).replace('sha-256', 'sha-512') },
  ];
  for (const headers of refused) {
    const answer = await keepsUpload(call, upload, () => putBody(call, upload, 0, part, headers));
    assertFailure(answer, 'unsupported_digest', 'invalid_request');
  }
  const unknown = await putBody(call, upload, 0, part, refused[0]);
  assertFailure(unknown, 'unsupported_digest');
  assert.equal((await putBody(call, upload, 0, part, { 'content-digest': `\t ${good} ` })).status, 201);
});

test('part: a part of the wrong length is refused', async () => {
  const call = callAs(server);
  const { upload, bytes } = await openSample(call, 3);
  const zeros = (length: number) => Buffer.alloc(length);
  for (const [idx, body, code] of [
    [0, zeros(0), 'part_size_mismatch'],
    [0, zeros(PART_BYTES - 1), 'part_size_mismatch'],
    [0, zeros(PART_BYTES + 1), 'part_too_large'],
    [0, zeros(3 * PART_BYTES), 'part_too_large'],
    [2, zeros(1499), 'part_size_mismatch'],
    [2, zeros(1501), 'part_size_mismatch'],
    [2, zeros(PART_BYTES), 'part_size_mismatch'],
    [2, zeros(PART_BYTES + 1), 'part_too_large'],
  ] as const) {
    const answer = await keepsUpload(call, upload, () => putBody(call, upload, idx, body));
    assertFailure(answer, code);
  }
  assert.equal((await put(call, upload, 0, bytes)).status, 201);
});

test('part: an index that no part has is refused', async () => {
  const call = callAs(server);
  const { upload } = await openSample(call, 2);
  const body = Buffer.alloc(PART_BYTES);
  for (const idx of ['2', '1000000000', '9007199254740993', '99999999999999999999999']) {
    const answer = await keepsUpload(call, upload, () => putBody(call, upload, idx, body));
    assertFailure(answer, 'part_out_of_range', ...(idx.length > 15 ? (['invalid_request'] as const) : []));
  }
  for (const idx of ['-1', 'x', '01', '1.0', '1e0', '0x1', '+1', '%31%20', '', '%00', '1/2', 'NaN']) {
    const answer = await keepsUpload(call, upload, () => putBody(call, upload, idx, body));
    assertFailure(answer, 'part_out_of_range', 'invalid_request', 'not_found');
  }
});

test('part: a content coding is not stored as if it were the bytes', async () => {
  const call = callAs(server);
  const { upload, bytes } = await openSample(call);
  const part = cutPart(bytes, upload, 0);
  for (const coding of ['gzip', 'br']) {
    const answer = await keepsUpload(call, upload, () =>
      putBody(call, upload, 0, part, { 'content-encoding': coding }),
    );
    assertFailure(answer, 'invalid_request');
  }
});

// Invariant 7
test('part: a client that goes away in the middle of a part leaves the upload as it was', async () => {
  const sub = 'goes-away';
  const call = callAs(server, { sub });
  const { upload, bytes } = await openSample(call);
  await keepsUpload(call, upload, async () => {
    const connection = await Connection.open(server.url);
    const headers = { authorization: `Bearer ${server.token({ sub })}`, expect: '100-continue' };
    connection.send(printHead('PUT', partPath(upload, 0), { ...headers, 'content-length': String(PART_BYTES) }));
    assert.equal((await connection.answer()).status, 100);
    connection.send(bytes.subarray(0, PART_BYTES - 1));
    connection.close();
  });
  assert.equal((await put(call, upload, 0, bytes)).status, 201);
});
