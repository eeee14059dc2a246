/** Going on with IETF resumable uploads: "Offset Retrieval", "Upload Append" and "Upload Cancellation" of the draft. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import type { FileRecord } from '@cryolift/protocol/messages';
import { startServer } from '../../server-under-test.ts';
import { digestHeader, makeMrc } from '../sample.ts';
import { eventually } from '../upload.ts';
import { Connection, printHead } from '../wire.ts';
import {
  assertProblem,
  assertPublished,
  type Headers,
  KEEPS_CUT_PARTS,
  PARTIAL_UPLOAD,
  pathOf,
  type Send,
  sendAs,
  versionHeader,
} from './client.ts';

const server = await startServer();
after(() => server.discard());

/** A new upload without bytes. @returns its path. */
async function start(send: Send, headers: Headers = {}): Promise<string> {
  const { final } = await send('POST', '/resumable/movie.mrc', { 'upload-complete': '?0', ...headers });
  assert.equal(final.status, 201, final.body.toString());
  return pathOf(final.headers.location);
}

function appendAt(offset: number, isLast: boolean, more: Headers = {}): Headers {
  return {
    'content-type': PARTIAL_UPLOAD,
    'upload-offset': String(offset),
    'upload-complete': isLast ? '?1' : '?0',
    ...more,
  };
}

async function offsetOf(send: Send, path: string): Promise<number> {
  const { final } = await send('HEAD', path);
  assert.equal(final.status, 204);
  return Number(final.headers['upload-offset']);
}

test('resumable append: pieces of any size make the file', async () => {
  const bytes = makeMrc(300_000);
  const send = sendAs(server, 8);
  const path = await start(send);
  const borders = [0, 1, 700, 1024, 90_001, 262_144, bytes.length];
  for (const [at, from] of borders.slice(0, -1).entries()) {
    const to = borders[at + 1] as number;
    const isLast = to === bytes.length;
    const { final, interim } = await send('PATCH', path, appendAt(from, isLast), bytes.subarray(from, to));
    assert.equal(final.headers['upload-complete'], isLast ? '?1' : '?0', final.body.toString());
    assert.equal(final.headers['upload-offset'], String(to));
    for (const { headers } of interim) assert.equal(headers.location, undefined);
    if (isLast) await assertPublished(send, { final, interim }, bytes);
    else assert.equal(final.status, 204);
  }
});

test('resumable append: HEAD and GET answer with the state, and are not stored', async () => {
  const bytes = makeMrc(10_000);
  const send = sendAs(server, 8);
  const path = await start(send, { 'upload-length': '10000' });
  await send('PATCH', path, appendAt(0, false), bytes.subarray(0, 4_000));
  for (const method of ['HEAD', 'GET']) {
    const { final } = await send(method, path);
    assert.equal(final.status, 204);
    assert.equal(final.headers['upload-offset'], '4000');
    assert.equal(final.headers['upload-complete'], '?0');
    assert.equal(final.headers['upload-length'], '10000');
    assert.match(final.headers['upload-limit'] ?? '', /\bmax-age=[1-9]\d*/);
    assert.equal(final.headers['cache-control'], 'no-store');
  }
  const done = await send('PATCH', path, appendAt(4_000, true), bytes.subarray(4_000));
  const { file_id } = done.final.json<FileRecord>();
  const { final } = await send('HEAD', path);
  assert.equal(final.headers['upload-complete'], '?1');
  assert.equal(final.headers['upload-offset'], '10000');
  assert.equal(final.headers['content-location'], `/files/${file_id}`);
});

test('resumable append: a length that is not known is not on HEAD', async () => {
  const send = sendAs(server, 8);
  const path = await start(send);
  const before = await send('HEAD', path);
  assert.equal(before.final.headers['upload-length'], undefined);
  await send('PATCH', path, appendAt(0, false, { 'upload-length': '3000' }), makeMrc(3_000).subarray(0, 2_000));
  const after = await send('HEAD', path);
  assert.equal(after.final.headers['upload-length'], '3000');
});

test('resumable append: at another offset it is refused with the right one', async () => {
  const bytes = makeMrc(10_000);
  const send = sendAs(server, 8);
  const path = await start(send);
  await send('PATCH', path, appendAt(0, false), bytes.subarray(0, 4_000));
  for (const offset of [0, 3_999, 4_001, 999_999_999_999_999]) {
    const { final } = await send('PATCH', path, appendAt(offset, false), bytes.subarray(0, 100));
    const members = assertProblem(final, 409, 'offset_mismatch', 'mismatching-upload-offset');
    assert.deepEqual([members['expected-offset'], members['provided-offset']], [4_000, offset]);
    assert.equal(final.headers['upload-offset'], '4000');
    assert.equal(final.headers['upload-complete'], '?0');
  }
  const empty = await send('PATCH', path, appendAt(1, true));
  assertProblem(empty.final, 409, 'offset_mismatch', 'mismatching-upload-offset');
  assert.equal(await offsetOf(send, path), 4_000);
});

test('resumable append: an empty one completes an upload whose bytes are all there', async () => {
  const bytes = makeMrc(5_000);
  const send = sendAs(server, 8);
  const path = await start(send);
  await send('PATCH', path, appendAt(0, false, { 'upload-length': '5000' }), bytes);
  const state = await send('HEAD', path);
  assert.equal(state.final.headers['upload-complete'], '?0', 'the client has not said so');
  await assertPublished(send, await send('PATCH', path, appendAt(5_000, true)), bytes);
});

test('resumable append: lengths that differ are refused', async () => {
  const bytes = makeMrc(5_000);
  const send = sendAs(server, 8);
  const path = await start(send, { 'upload-length': '5000' });
  const refuse = async (headers: Headers, body: Uint8Array) => {
    const { final } = await send('PATCH', path, headers, body);
    assertProblem(final, 400, 'invalid_request', 'inconsistent-upload-length');
  };
  await refuse(appendAt(0, false, { 'upload-length': '5001' }), bytes.subarray(0, 1_000));
  await refuse(appendAt(0, true), bytes.subarray(0, 4_999));
  await refuse(appendAt(0, true, { 'upload-length': '5000' }), bytes.subarray(0, 4_999));
  await refuse(appendAt(0, true), new Uint8Array());
  assert.equal(await offsetOf(send, path), 0);
  const { final } = await send('PATCH', path, appendAt(0, true), bytes);
  assert.equal(final.status, 201);
});

test('resumable append: bytes beyond the length end the upload', async () => {
  const send = sendAs(server, 8);
  for (const framing of [{}, { 'transfer-encoding': 'chunked' }]) {
    const path = await start(send, { 'upload-length': '5000' });
    const bytes = makeMrc(5_001);
    const isChunked = 'transfer-encoding' in framing;
    const body = isChunked ? Buffer.concat([Buffer.from('1389\r\n'), bytes, Buffer.from('\r\n0\r\n\r\n')]) : bytes;
    const { final } = await send('PATCH', path, appendAt(0, false, framing), body);
    assertProblem(final, 400, 'invalid_request', 'inconsistent-upload-length');
    const later = await send('PATCH', path, appendAt(0, false), bytes.subarray(0, 10));
    assertProblem(later.final, 410, 'upload_closed');
    assert.equal((await send('HEAD', path)).final.status, 410);
  }
});

test('resumable append: the head is checked', async () => {
  const send = sendAs(server, 8);
  const path = await start(send);
  const bytes = makeMrc(2_000);
  const refuse = async (headers: Headers, status: number) => {
    const { final } = await send('PATCH', path, { ...appendAt(0, false), ...headers }, bytes);
    assertProblem(final, status, 'invalid_request');
  };
  await refuse({ 'content-type': 'application/octet-stream' }, 415);
  await refuse({ 'content-type': '' }, 415);
  await refuse({ 'content-encoding': 'gzip' }, 415);
  await refuse({ 'upload-offset': '-1' }, 400);
  await refuse({ 'upload-offset': '1.0' }, 400);
  await refuse({ 'upload-complete': '1' }, 400);
  await refuse({ 'repr-digest': digestHeader(bytes) }, 400);
  assert.equal(await offsetOf(send, path), 0);
});

test('resumable append: nothing of a body counts that is not what its digest says', async () => {
  const bytes = makeMrc(200_000);
  const send = sendAs(server, 8);
  const path = await start(send);
  const wrong = { 'content-digest': digestHeader(Buffer.from('other')) };
  const refused = await send('PATCH', path, appendAt(0, false, wrong), bytes);
  assertProblem(refused.final, 422, 'part_checksum_mismatch');
  assert.equal(await offsetOf(send, path), 0);
  const sha512 = createHash('sha512').update(bytes).digest('base64');
  const right = { 'content-digest': `sha-512=:${sha512}:, ${digestHeader(bytes)}` };
  const { final } = await send('PATCH', path, appendAt(0, true, right), bytes);
  assert.equal(final.status, 201, final.body.toString());
});

test('resumable append: the digest of the file may come with the last request', async () => {
  const bytes = makeMrc(5_000);
  const send = sendAs(server, 8);
  const path = await start(send);
  const wrong = { 'repr-digest': digestHeader(Buffer.from('other')) };
  const { final } = await send('PATCH', path, appendAt(0, true, wrong), bytes);
  assertProblem(final, 422, 'file_checksum_mismatch');
  assert.equal(final.headers['upload-complete'], '?1');
});

test('resumable append: what a cut request has sent is kept', async () => {
  const bytes = makeMrc(400_000);
  const sub = 'cut';
  const send = sendAs(server, 8, { sub });
  const path = await start(send, { 'upload-length': '400000' });
  const connection = await Connection.open(server.url);
  const headers = appendAt(0, true, { 'content-length': '400000', authorization: `Bearer ${server.token({ sub })}` });
  connection.send(printHead('PATCH', path, headers));
  await connection.sendUnread(bytes.subarray(0, 250_000));
  await new Promise((resolve) => setTimeout(resolve, 300));
  connection.close();
  const offset = await eventually(
    () => offsetOf(send, path),
    (reached) => reached > 0 || !KEEPS_CUT_PARTS,
  );
  assert.ok(offset <= 250_000);
  await assertPublished(send, await send('PATCH', path, appendAt(offset, true), bytes.subarray(offset)), bytes);
});

test('resumable append: HEAD ends the append that is under way, and its offset is accepted', async () => {
  const bytes = makeMrc(400_000);
  const sub = 'stale';
  const send = sendAs(server, 8, { sub });
  const path = await start(send, { 'upload-length': '400000' });
  const stale = await Connection.open(server.url);
  const authorization = `Bearer ${server.token({ sub })}`;
  stale.send(printHead('PATCH', path, appendAt(0, true, { 'content-length': '400000', authorization })));
  await stale.sendUnread(bytes.subarray(0, 250_000));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const offset = await offsetOf(send, path);
  stale.send(bytes.subarray(250_000));
  const done = await send('PATCH', path, appendAt(offset, true), bytes.subarray(offset));
  stale.close();
  await assertPublished(send, done, bytes);
});

test('resumable append: the last answer comes again for a repeated request, and for an empty one', async () => {
  const bytes = makeMrc(5_000);
  const send = sendAs(server, 8);
  const path = await start(send);
  const first = await send('PATCH', path, appendAt(0, true), bytes);
  const repeated = await send('PATCH', path, appendAt(0, true), bytes);
  const empty = await send('PATCH', path, appendAt(5_000, true));
  const { file_id } = first.final.json<FileRecord>();
  for (const again of [repeated, empty]) {
    assert.equal((await assertPublished(send, again, bytes)).file_id, file_id);
    assert.equal(again.final.headers['upload-complete'], '?1');
  }
  for (const headers of [appendAt(5_000, false), appendAt(5_000, true), appendAt(0, false)]) {
    const { final } = await send('PATCH', path, headers, bytes.subarray(0, 10));
    assertProblem(final, 400, 'invalid_request', 'inconsistent-upload-length');
    assert.equal(final.headers['upload-complete'], '?1');
  }
});

test('resumable append: a refused MRC header ends the upload', async () => {
  const send = sendAs(server, 8);
  const path = await start(send, { 'upload-length': '5000' });
  const { final } = await send('PATCH', path, appendAt(0, false), Buffer.alloc(3_000));
  assertProblem(final, 422, 'invalid_mrc');
  assert.equal((await send('HEAD', path)).final.status, 410);
});

test('resumable cancellation: the upload and its running request end', async () => {
  const sub = 'cancelled';
  const send = sendAs(server, 8, { sub });
  const path = await start(send, { 'upload-length': '400000' });
  const running = await Connection.open(server.url);
  const authorization = `Bearer ${server.token({ sub })}`;
  running.send(
    printHead('PATCH', path, appendAt(0, true, { 'content-length': '400000', authorization, ...versionHeader(8) })),
  );
  running.send(makeMrc(400_000).subarray(0, 100_000));
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal((await send('DELETE', path)).final.status, 204);
  running.send(Buffer.alloc(300_000));
  const answer = await running.answer('PATCH').catch(() => null);
  running.close();
  assert.ok(answer === null || answer.status >= 400, String(answer?.status));
  assert.equal((await send('HEAD', path)).final.status, 410);
  assertProblem((await send('PATCH', path, appendAt(0, false), Buffer.alloc(10))).final, 410, 'upload_closed');
});

test('resumable uploads: of other owners, and of the native calls, are not there', async () => {
  const path = await start(sendAs(server, 8));
  const other = sendAs(server, 8);
  for (const method of ['HEAD', 'GET', 'PATCH', 'DELETE']) {
    const { final } = await other(method, path, method === 'PATCH' ? appendAt(0, false) : {});
    assert.equal(final.status, 404, method);
  }
});
