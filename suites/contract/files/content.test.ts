/** The bytes of a file: whole, in ranges, and not at all when the client has them (RFC 9110 sections 13 and 14). */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { FileRecord } from '@cryolift/protocol/messages';
import { findServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { digestHeader, makeMrc, sha256Hex } from '../sample.ts';
import { PART_BYTES, publish } from '../upload.ts';
import { type Answer, callAs } from '../wire.ts';

const server = await findServer();
const call = callAs(server);
const bytes = makeMrc(3 * PART_BYTES + 77);
const size = bytes.length;
const { file_id } = await publish(call, bytes, { filename: 'Grid "7" – ü%.mrc' });
after(() => server.discard());

const path = `/files/${file_id}/content`;
const get = (headers: Record<string, string> = {}) => call('GET', path, { headers });
const etag = (await get()).headers.etag as string;

function assertWhole(answer: Answer): void {
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['content-length'], String(size));
  assert.deepEqual(answer.body, bytes);
}

function assertPart(answer: Answer, first: number, last: number): void {
  assert.equal(answer.status, 206);
  assert.equal(answer.headers['content-range'], `bytes ${first}-${last}/${size}`);
  assert.equal(answer.headers['content-length'], String(last - first + 1));
  assert.equal(answer.headers.etag, etag);
  assert.deepEqual(answer.body, bytes.subarray(first, last + 1));
}

test('content: the whole file, with what identifies it', async () => {
  const answer = await get();
  assertWhole(answer);
  assert.match(etag, /^"[\x21\x23-\x7e]+"$/, 'a strong entity tag');
  assert.equal(answer.headers['repr-digest'], digestHeader(bytes));
  assert.equal(answer.headers['accept-ranges'], 'bytes');
  assert.match(
    answer.headers['content-disposition'] ?? '',
    /^attachment; .*filename\*=UTF-8''Grid%20%227%22%20%E2%80%93%20%C3%BC%25\.mrc/,
  );
  assert.equal(answer.headers['x-content-type-options'], 'nosniff');
});

test('content: HEAD answers the same head and no body', async () => {
  const whole = await get();
  const head = await call('HEAD', path);
  assert.equal(head.status, 200);
  for (const name of [
    'content-length',
    'content-type',
    'etag',
    'repr-digest',
    'accept-ranges',
    'content-disposition',
  ]) {
    assert.equal(head.headers[name], whole.headers[name], name);
  }
  assert.equal((await call('HEAD', path, { headers: { 'if-none-match': etag } })).status, 304);
});

for (const [range, first, last] of [
  ['bytes=0-0', 0, 0],
  ['bytes=0-1023', 0, 1023],
  [`bytes=${PART_BYTES - 5}-${PART_BYTES + 5}`, PART_BYTES - 5, PART_BYTES + 5],
  [`bytes=${size - 1}-`, size - 1, size - 1],
  ['bytes=1000-', 1000, size - 1],
  [`bytes=0-${size + 1000}`, 0, size - 1],
  ['bytes=-1', size - 1, size - 1],
  ['bytes=-500', size - 500, size - 1],
  [`bytes=-${size + 10}`, 0, size - 1],
] as const) {
  test(`Range: ${range}`, async () => assertPart(await get({ range }), first, last));
}

test('content: parallel ranges make up the file', async () => {
  const starts = Array.from({ length: 8 }, (_, at) => Math.floor((at * size) / 8));
  const pieces = await Promise.all(
    starts.map((start, at) => get({ range: `bytes=${start}-${(starts[at + 1] ?? size) - 1}` })),
  );
  assert.equal(sha256Hex(Buffer.concat(pieces.map(({ body }) => body))), sha256Hex(bytes));
});

test('content: a range beyond the file cannot be had, and the answer says how long the file is', async () => {
  for (const range of [`bytes=${size}-`, `bytes=${size + 5}-${size + 9}`, 'bytes=-0']) {
    const answer = await get({ range });
    assertFailure(answer, 'range_not_satisfiable');
    assert.equal(answer.headers['content-range'], `bytes */${size}`);
  }
});

test('content: a range that is none, or of another unit, is as if it were not there', async () => {
  for (const range of [
    'bytes=5-2',
    'bytes=',
    'bytes=-',
    'bytes=a-b',
    'bytes=1',
    'lines=1-2',
    'bytes',
    '1-2',
    'bytes=--1',
    'bytes=0x0-0x5',
  ]) {
    assertWhole(await get({ range }));
  }
});

test('content: several ranges are answered whole, or in parts, or refused; never with wrong bytes', async () => {
  const answer = await get({ range: 'bytes=0-9,100-109' });
  if (answer.status === 200) return assertWhole(answer);
  if (answer.status === 206) return assert.match(answer.headers['content-type'] ?? '', /^multipart\/byteranges/);
  assertFailure(answer, 'range_not_satisfiable');
});

test('If-Range: the range when the file is still this one, else the whole file', async () => {
  const range = 'bytes=10-19';
  assertPart(await get({ range, 'if-range': etag }), 10, 19);
  assertWhole(await get({ range, 'if-range': '"another"' }));
  assertWhole(await get({ range, 'if-range': `W/${etag}` }));
  assertWhole(await get({ range, 'if-range': 'Thu, 01 Jan 1970 00:00:00 GMT' }));
  assertWhole(await get({ range, 'if-range': 'nonsense' }));
});

test('If-None-Match: nothing when the client has it', async () => {
  for (const condition of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
    const answer = await get({ 'if-none-match': condition });
    assert.equal(answer.status, 304, condition);
    assert.equal(answer.headers.etag, etag);
    assert.equal(answer.headers['content-type'], undefined);
  }
  assertWhole(await get({ 'if-none-match': '"another"' }));
  assert.equal((await get({ 'if-none-match': etag, range: 'bytes=0-1' })).status, 304);
});

test('If-Match and If-Unmodified-Since: 412 when the file is not the one that is meant', async () => {
  const { 'last-modified': published = '' } = (await get()).headers;
  const earlier = new Date(Date.parse(published) - 1000).toUTCString();
  for (const conditions of [
    { 'if-match': etag },
    { 'if-match': `"x", ${etag}` },
    { 'if-match': '*' },
    { 'if-unmodified-since': published },
    { 'if-unmodified-since': 'nonsense' },
    // With If-Match, the date is ignored.
    { 'if-match': etag, 'if-unmodified-since': earlier },
  ]) {
    assertWhole(await get(conditions));
  }
  for (const conditions of [
    { 'if-match': '"another"' },
    { 'if-match': `W/${etag}` },
    { 'if-unmodified-since': earlier },
    // A failed condition comes before the range, and before 304.
    { 'if-match': '"another"', range: `bytes=${size}-` },
    { 'if-match': '"another"', 'if-none-match': etag },
  ]) {
    const answer = await get(conditions);
    assertFailure(answer, 'precondition_failed');
    assert.equal(answer.headers['repr-digest'], undefined);
    assert.equal((await call('HEAD', path, { headers: conditions })).status, 412);
  }
  assertPart(await get({ 'if-match': etag, range: 'bytes=0-9' }), 0, 9);
});

test('If-Modified-Since: nothing when the file is not newer, unless If-None-Match says otherwise', async () => {
  const { 'last-modified': published = '' } = (await get()).headers;
  const earlier = new Date(Date.parse(published) - 1000).toUTCString();
  for (const value of [published, new Date(Date.parse(published) + 60_000).toUTCString()]) {
    const answer = await get({ 'if-modified-since': value });
    assert.equal(answer.status, 304, value);
    assert.equal(answer.headers.etag, etag);
    assert.equal(answer.body.length, 0);
  }
  for (const value of [earlier, 'nonsense', '2100-01-01']) assertWhole(await get({ 'if-modified-since': value }));
  assertWhole(await get({ 'if-modified-since': published, 'if-none-match': '"another"' }));
  assert.equal((await get({ 'if-modified-since': earlier, 'if-none-match': etag })).status, 304);
});

test('content: If-Match on a call that changes something never holds, for that has no entity tag', async () => {
  const file = await publish(call, makeMrc(2000));
  const change = { json: { metadata: { a: 'b' } } };
  const headers = { 'if-match': `"${file.sha256}"` };
  assertFailure(await call('PATCH', `/files/${file.file_id}`, { ...change, headers }), 'precondition_failed');
  assertFailure(await call('DELETE', `/files/${file.file_id}`, { headers }), 'precondition_failed');
  assert.deepEqual((await call('GET', `/files/${file.file_id}`)).json<FileRecord>().metadata, {});
  assert.equal((await call('DELETE', `/files/${file.file_id}`, { headers: { 'if-match': '*' } })).status, 204);
});

test('content: a file of other bytes has another entity tag', async () => {
  const other = await publish(call, makeMrc(size));
  assert.notEqual((await call('HEAD', `/files/${other.file_id}/content`)).headers.etag, etag);
});
