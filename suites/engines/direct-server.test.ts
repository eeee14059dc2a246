/** Parts that clients send to the bucket by signed URLs, and what counts of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConfirmedParts, FileRecord, Limits } from '@cryolift/protocol/messages';
import { assertFailure } from '../contract/failure.ts';
import { makeMrc, sha256Hex } from '../contract/sample.ts';
import { complete, cutPart, put, putAll, putBody, readUploadRecord } from '../contract/upload.ts';
import {
  confirm,
  openLarge,
  sendDirect,
  sendPart,
  settingsFor,
  sign,
  signOne,
  startOnBucket,
  tryConfirm,
  withService,
} from './direct.ts';
import { listsChecksums } from './s3-service.ts';

const outcomes = ({ parts }: ConfirmedParts) => parts.map(({ outcome }) => outcome);

// Invariants 1, 3
test('direct: parts that the bucket has are counted by confirm, and the file is right', withService, async (t) => {
  const { call } = await startOnBucket(t, 'direct');
  assert.equal((await call('GET', '/limits')).json<Limits>().direct, true);
  const { upload, bytes } = await openLarge(call, 4);
  const claims = [];
  for (const idx of [2, 0, 3, 1]) claims.push(await sendPart(call, upload, idx, bytes));
  assert.equal((await readUploadRecord(call, upload)).received_parts, 0, 'nobody has confirmed a part yet');
  const first = await confirm(call, upload, claims.slice(0, 3));
  assert.deepEqual(outcomes(first), ['stored', 'stored', 'stored']);
  assert.deepEqual([first.received_parts, first.status], [3, 'uploading']);
  const again = await confirm(call, upload, claims);
  assert.deepEqual(outcomes(again), ['deduplicated', 'deduplicated', 'deduplicated', 'stored']);
  assert.deepEqual([again.received_bytes, again.progress], [bytes.length, 1]);
  // Recorded parts are not signed again.
  const stored = { part: 1, sha256: sha256Hex(cutPart(bytes, upload, 1)) };
  const signed = await sign(call, upload, [stored]);
  assert.deepEqual([signed.urls, signed.stored], [[], [stored]]);
  const file = (await complete(call, upload, { sha256: sha256Hex(bytes) })).json<FileRecord>();
  assert.equal(file.sha256, sha256Hex(bytes));
  assert.deepEqual((await call('GET', `/files/${file.file_id}/content`)).body, bytes);
});

test('direct: the bucket takes neither other bytes than were signed, nor an expired URL', withService, async (t) => {
  const { call } = await startOnBucket(t, 'direct-bodies');
  const { upload, bytes } = await openLarge(call, 2);
  const [right, other] = [cutPart(bytes, upload, 0), cutPart(makeMrc(bytes.length), upload, 0)];
  const signed = await signOne(call, upload, 0, bytes);
  assert.equal((await sendDirect(signed, other)).status, 400);
  const cut = await sendDirect(signed, right.subarray(0, 1000));
  assert.ok(cut.status >= 400 && cut.status < 500, `a cut body: ${cut.status}`);
  const digest = Buffer.from(sha256Hex(other), 'hex').toString('base64');
  const changed = { ...signed, headers: { ...signed.headers, 'x-amz-checksum-sha256': digest } };
  assert.equal((await sendDirect(changed, other)).status, 403);
  const short = await signOne(call, upload, 0, bytes, 1);
  await sleep(2_500);
  assert.equal((await sendDirect(short, right)).status, 403);
  assertFailure(await complete(call, upload), 'upload_incomplete');
  assert.deepEqual((await readUploadRecord(call, upload)).missing_parts, [[0, 1]]);
});

// Invariants 1, 2
test('direct: a client that says what is not true gets nothing counted', withService, async (t) => {
  const { call } = await startOnBucket(t, 'direct-lies');
  const { upload, bytes } = await openLarge(call, 3);
  const other = makeMrc(bytes.length);
  const sent = await sendPart(call, upload, 0, bytes);
  const never = { part: 1, etag: sent.etag, sha256: sha256Hex(cutPart(bytes, upload, 1)) };
  await signOne(call, upload, 1, bytes);
  const lies = [
    { ...sent, etag: '"d41d8cd98f00b204e9800998ecf8427e"' },
    { ...sent, sha256: sha256Hex(cutPart(other, upload, 0)) },
    { ...sent, part: 1 },
    never,
    { ...never, part: 2 },
  ];
  assert.deepEqual(
    outcomes(await confirm(call, upload, lies)),
    lies.map(() => 'missing'),
  );
  assert.equal((await readUploadRecord(call, upload)).received_parts, 0);
  assertFailure(await tryConfirm(call, upload, [{ ...sent, part: 3 }]), 'part_out_of_range');
  assertFailure(await tryConfirm(call, upload, []), 'invalid_request');
  assertFailure(await tryConfirm(call, upload, [{ part: 0, etag: sent.etag }]), 'invalid_request');
  // A part has one digest: with another one it is not signed for the bucket.
  const [second] = (await sign(call, upload, [{ part: 0, sha256: sha256Hex(cutPart(other, upload, 0)) }])).urls;
  assert.equal(second?.direct, false);
  // And while a URL works, other bytes are not taken here, either: the URL could replace them.
  const refused = await put(call, upload, 0, other);
  assertFailure(refused, 'overloaded');
  assert.ok(Number(refused.headers['retry-after']) > 60);
  assert.deepEqual(outcomes(await confirm(call, upload, [sent])), ['stored']);
  const conflict = await confirm(call, upload, [{ ...sent, sha256: sha256Hex(cutPart(other, upload, 0)) }]);
  assert.deepEqual(outcomes(conflict), ['conflict']);
  assert.equal(conflict.parts[0]?.sha256, sent.sha256);
  assertFailure(await put(call, upload, 0, other), 'part_conflict');
  await putAll(call, upload, bytes);
  assert.equal((await complete(call, upload)).status, 200);
  assertFailure(await tryConfirm(call, upload, [{ ...sent, part: 9 }]), 'part_out_of_range');
  assert.deepEqual(outcomes(await confirm(call, upload, [sent])), ['deduplicated']);
});

test(
  'direct: after a part came through the server, other bytes are taken once the URL has expired',
  withService,
  async (t) => {
    const { call } = await startOnBucket(t, 'direct-after');
    const { upload, bytes } = await openLarge(call, 2);
    await signOne(call, upload, 1, bytes, 1);
    await sleep(1_500);
    const other = Buffer.alloc(cutPart(bytes, upload, 1).length, 7);
    assert.equal((await putBody(call, upload, 1, other)).status, 201);
    const stale = { part: 1, etag: 'any', sha256: sha256Hex(cutPart(bytes, upload, 1)) };
    assert.deepEqual(outcomes(await confirm(call, upload, [stale])), ['conflict']);
  },
);

// Invariant 3
test('direct: complete finds the parts that nobody confirmed, and no others', withService, async (t) => {
  const { server, call } = await startOnBucket(t, 'direct-unconfirmed');
  const { upload, bytes } = await openLarge(call, 4);
  await confirm(call, upload, [await sendPart(call, upload, 3, bytes)]);
  for (const idx of [0, 2]) await sendPart(call, upload, idx, bytes);
  // The same bytes twice: SeaweedFS lists both.
  await sendPart(call, upload, 2, bytes);
  await signOne(call, upload, 1, bytes);
  await server.kill9();
  await server.restart();
  assertFailure(await complete(call, upload), 'upload_incomplete');
  assert.deepEqual((await readUploadRecord(call, upload)).missing_parts, [[1, 1]]);
  await sendPart(call, upload, 1, bytes);
  const file = (await complete(call, upload, { sha256: sha256Hex(bytes) })).json<FileRecord>();
  assert.equal(file.sha256, sha256Hex(bytes));
});

test('direct: where a part came through the server, parts without a listed checksum have to be confirmed', {
  ...withService,
  skip: withService.skip || (listsChecksums && 'this service lists the checksums of parts'),
}, async (t) => {
  const { call } = await startOnBucket(t, 'direct-mixed');
  const { upload, bytes } = await openLarge(call, 2);
  const sent = await sendPart(call, upload, 0, bytes);
  assert.equal((await put(call, upload, 1, bytes)).status, 201);
  assertFailure(await complete(call, upload), 'upload_incomplete');
  assert.deepEqual(outcomes(await confirm(call, upload, [sent])), ['stored']);
  assert.equal((await complete(call, upload)).status, 200);
});

test('direct: an MRC file with another header than was checked at init is not published', withService, async (t) => {
  const { call } = await startOnBucket(t, 'direct-header');
  const { upload, bytes } = await openLarge(call, 2);
  const wrong = Buffer.from(bytes);
  wrong.fill(0xff, 0, 1024);
  const claims = [await sendPart(call, upload, 0, wrong), await sendPart(call, upload, 1, wrong)];
  assert.deepEqual(outcomes(await confirm(call, upload, claims)), ['stored', 'stored']);
  assertFailure(await complete(call, upload), 'invalid_mrc');
  const { status, failure } = await readUploadRecord(call, upload);
  assert.deepEqual([status, failure?.code], ['failed', 'invalid_mrc']);
  assert.equal((await call('GET', `/files/${upload.upload_id}`)).status, 404);
  // Without a header at init, the first part comes through the server.
  const unknown = await call('POST', '/uploads/init', {
    json: { filename: 'late.mrc', size: bytes.length, part_size: upload.part_size },
  });
  const late = unknown.json<typeof upload>();
  const digests = [0, 1].map((part) => ({ part, sha256: sha256Hex(cutPart(bytes, upload, part)) }));
  assert.deepEqual(
    (await sign(call, late, digests)).urls.map(({ direct }) => direct),
    [false, true],
  );
});

test('direct: without it in the settings, parts go through the server', withService, async (t) => {
  const { CRYOLIFT_STORAGE_URL: url = '' } = await settingsFor('direct-off');
  const { call } = await startOnBucket(t, 'direct-off', { CRYOLIFT_STORAGE_URL: `${url}&direct=false` });
  assert.equal((await call('GET', '/limits')).json<Limits>().direct, undefined);
  const { upload, bytes } = await openLarge(call, 2);
  const [own] = (await sign(call, upload, [{ part: 0, sha256: sha256Hex(cutPart(bytes, upload, 0)) }])).urls;
  assert.equal(own?.direct, false);
});
