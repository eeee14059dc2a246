/** Parts that are sent with `Content-Encoding: zstd`. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { constants, zstdCompressSync } from 'node:zlib';
import type { FileRecord, Limits, PartReceipt, UploadRecord } from '@cryolift/protocol/messages';
import { findServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { digestHeader, flipBit, sha256, sha256Hex } from '../sample.ts';
import { complete, cutPart, keepsUpload, open, openSample, partPath, put, readUploadRecord } from '../upload.ts';
import { type Call, Connection, callAs, printHead } from '../wire.ts';

const server = await findServer();
after(() => server.discard());

const CODED = { 'content-encoding': 'zstd' };
/** A frame with neither the length nor a digest of its content: nothing but the server finds damage. */
const BARE = { params: { [constants.ZSTD_c_contentSizeFlag]: 0, [constants.ZSTD_c_checksumFlag]: 0 } };

async function putCoded(call: Call, upload: UploadRecord, idx: number, body: Uint8Array, headers = {}) {
  return await call('PUT', partPath(upload, idx), { body, headers: { ...CODED, ...headers } });
}

test('encoded part: the decoded bytes are stored, with their digest, beside parts that are not encoded', async () => {
  const call = callAs(server);
  const { upload, bytes } = await openSample(call, 3);
  for (const idx of [1, 0]) {
    const part = cutPart(bytes, upload, idx);
    const answer = await putCoded(call, upload, idx, zstdCompressSync(part), {
      'unencoded-digest': digestHeader(part),
    });
    assert.equal(answer.status, 201, answer.body.toString());
    const { size, sha256: digest } = answer.json<PartReceipt>();
    assert.deepEqual([size, digest], [part.length, sha256Hex(part)]);
    assert.equal(answer.headers['accept-encoding'], 'zstd');
  }
  assert.equal((await put(call, upload, 2, bytes)).status, 201);
  const file = (await complete(call, upload, { sha256: sha256Hex(bytes) })).json<FileRecord>();
  const content = await call('GET', `/files/${file.file_id}/content`);
  assert.deepEqual(sha256(content.body), sha256(bytes));
});

test('encoded part: what a client may send is offered', async () => {
  const call = callAs(server);
  assert.deepEqual((await call('GET', '/limits')).json<Limits>().part_encodings, ['zstd']);
  const started = await call('POST', '/uploads/init', { json: { filename: 'offer.mrc', size: 4096 } });
  assert.equal(started.headers['accept-encoding'], 'zstd');
});

test('encoded part: a stored part is confirmed by either digest, or by its bytes, and never overwritten', async () => {
  const call = callAs(server);
  const { upload, bytes } = await openSample(call, 2);
  const part = cutPart(bytes, upload, 0);
  const body = zstdCompressSync(part);
  assert.equal((await putCoded(call, upload, 0, body)).status, 201);
  for (const headers of [
    {},
    { 'unencoded-digest': digestHeader(part) },
    { 'content-digest': digestHeader(body) },
    { 'content-digest': digestHeader(part) },
  ]) {
    const again = await putCoded(call, upload, 0, body, headers);
    assert.equal(again.status, 200, again.body.toString());
    assert.equal(again.json<PartReceipt>().deduplicated, true);
  }
  const other = zstdCompressSync(flipBit(part, 9000));
  for (const headers of [{}, { 'unencoded-digest': digestHeader(flipBit(part, 9000)) }]) {
    assertFailure(await putCoded(call, upload, 0, other, headers), 'part_conflict');
  }
});

test('encoded part: damage is found, wherever it is, and nothing is stored', async () => {
  const call = callAs(server);
  const { upload, bytes } = await openSample(call, 2);
  const part = cutPart(bytes, upload, 1);
  const body = zstdCompressSync(part, BARE);
  const damaged = flipBit(body, Math.floor(body.length / 2));
  const cases: [string, Uint8Array, Record<string, string>][] = [
    ['a flipped bit, and the digest of the part', damaged, { 'unencoded-digest': digestHeader(part) }],
    ['a flipped bit, and the digest of the body', damaged, { 'content-digest': digestHeader(body) }],
    ['another digest of the body', body, { 'content-digest': digestHeader(flipBit(body, 5)) }],
    ['a frame that is cut off', body.subarray(0, body.length - 5), {}],
    ['no frame at all', Buffer.from('this is not zstd'), {}],
    ['no byte', Buffer.alloc(0), {}],
    ['bytes behind the frame', Buffer.concat([body, Buffer.from('more')]), {}],
  ];
  await keepsUpload(call, upload, async () => {
    for (const [what, sent, headers] of cases) {
      const answer = await putCoded(call, upload, 1, sent, headers);
      assert.equal(assertFailure(answer, 'part_checksum_mismatch').retryable, true, what);
    }
  });
  assert.equal((await putCoded(call, upload, 1, body, { 'unencoded-digest': digestHeader(part) })).status, 201);
});

test('encoded part: it must decode to exactly the length of the part', async () => {
  const call = callAs(server);
  const { upload, bytes } = await openSample(call, 2);
  const part = cutPart(bytes, upload, 0);
  await keepsUpload(call, upload, async () => {
    const short = zstdCompressSync(part.subarray(1));
    assertFailure(await putCoded(call, upload, 0, short), 'part_size_mismatch');
    const long = zstdCompressSync(Buffer.concat([part, part.subarray(0, 1)]), BARE);
    assertFailure(await putCoded(call, upload, 0, long), 'part_size_mismatch');
  });
});

test('encoded part: a bomb is decoded no further than the part is long', async () => {
  const call = callAs(server);
  const { upload } = await openSample(call, 2);
  const bomb = zstdCompressSync(Buffer.alloc(512 * 1024 * 1024), BARE);
  assert.ok(bomb.length < 64 * 1024, `${bomb.length} bytes`);
  await keepsUpload(call, upload, async () => {
    assertFailure(await putCoded(call, upload, 0, bomb), 'part_size_mismatch');
    // Frames that are skipped: no byte comes of them.
    const skipped = Buffer.alloc(512 * 1024);
    skipped.writeUInt32LE(0x184d2a50, 0);
    skipped.writeUInt32LE(skipped.length - 8, 4);
    assertFailure(await putCoded(call, upload, 0, skipped), 'part_too_large');
    const wide = zstdCompressSync(Buffer.alloc(32 * 1024 * 1024), {
      params: { ...BARE.params, [constants.ZSTD_c_windowLog]: 24 },
    });
    assertFailure(await putCoded(call, upload, 0, wide), 'invalid_request');
  });
});

test('encoded part: a wrong MRC header fails the upload as it does without encoding', async () => {
  const call = callAs(server);
  const bytes = Buffer.alloc(100_000, 1);
  const upload = await open(call, { filename: 'wrong.mrc', size: bytes.length });
  assertFailure(await putCoded(call, upload, 0, zstdCompressSync(cutPart(bytes, upload, 0))), 'invalid_mrc');
  assert.equal((await readUploadRecord(call, upload)).status, 'failed');
});

test('encoded part: a client that goes away leaves the part free', async () => {
  const call = callAs(server);
  const { upload, bytes } = await openSample(call, 2);
  const part = cutPart(bytes, upload, 0);
  const body = zstdCompressSync(part);
  for (let i = 0; i < 40; i++) {
    const connection = await Connection.open(server.url);
    const headers = {
      authorization: `Bearer ${server.token()}`,
      ...CODED,
      'content-length': String(body.length),
    };
    connection.send(printHead('PUT', partPath(upload, 0), headers));
    connection.send(body.subarray(0, 1000));
    connection.close();
  }
  const answer = await putCoded(call, upload, 0, body);
  assert.equal(answer.status, 201, answer.body.toString());
});
