/** `Expect: 100-continue`: a body is asked for only after every check that needs none (RFC 9110 section 10.1.1). */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { PartReceipt, UploadRecord } from '@cryolift/protocol/messages';
import { findServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { digestHeader, flipBit } from '../sample.ts';
import { cutPart, initRequest, keepsUpload, openSample, partPath, put } from '../upload.ts';
import { type Answer, Connection, callAs, printHead } from '../wire.ts';

const server = await findServer();
after(() => server.discard());
const sub = 'expects';
const call = callAs(server, { sub });
const authorization = `Bearer ${server.token({ sub })}`;

async function sendHead(method: string, path: string, headers: Record<string, string>) {
  const connection = await Connection.open(server.url);
  connection.send(printHead(method, path, { authorization, expect: '100-continue', ...headers }));
  return { connection, answer: await connection.answer() };
}

/** The answer to a head whose body is never sent. */
async function refuse(path: string, headers: Record<string, string>): Promise<Answer> {
  const { connection, answer } = await sendHead('PUT', path, headers);
  connection.close();
  return answer;
}

function describe(part: Uint8Array) {
  return { 'content-length': String(part.length), 'content-digest': digestHeader(part) };
}

test('expect: a missing part is asked for, then stored', async () => {
  const { upload, bytes } = await openSample(call);
  const part = cutPart(bytes, upload, 1);
  const { connection, answer } = await sendHead('PUT', partPath(upload, 1), describe(part));
  assert.equal(answer.status, 100);
  connection.send(part);
  assert.equal((await connection.answer()).status, 201);
  assert.equal((await connection.exchange('GET', '/healthz')).status, 200, 'the connection goes on');
  connection.close();
});

test('expect: a part that is stored already costs no byte', async () => {
  const { upload, bytes } = await openSample(call);
  await put(call, upload, 1, bytes);
  const part = cutPart(bytes, upload, 1);
  await keepsUpload(call, upload, async () => {
    const answer = await refuse(partPath(upload, 1), describe(part));
    assert.equal(answer.status, 200);
    assert.equal(answer.json<PartReceipt>().deduplicated, true);
    assertFailure(await refuse(partPath(upload, 1), describe(flipBit(part, 0))), 'part_conflict');
  });
});

test('expect: a stored part without a digest: its bytes are compared, or not wanted', async () => {
  const { upload, bytes } = await openSample(call);
  await put(call, upload, 1, bytes);
  const part = cutPart(bytes, upload, 1);
  const { connection, answer } = await sendHead('PUT', partPath(upload, 1), { 'content-length': String(part.length) });
  if (answer.status === 100) connection.send(part);
  const final = answer.status === 100 ? await connection.answer() : answer;
  assert.equal(final.status, 200);
  connection.close();
});

// Invariant 8
test('expect: requests that can be refused by the head are refused without the body', async () => {
  const { upload, bytes } = await openSample(call);
  const path = partPath(upload, 0);
  const head = describe(cutPart(bytes, upload, 0));
  await keepsUpload(call, upload, async () => {
    assertFailure(await refuse(path, { ...head, authorization: 'Bearer x' }), 'unauthenticated');
    const expired = `Bearer ${server.token({ sub, ttlSeconds: -99 })}`;
    assertFailure(await refuse(path, { ...head, authorization: expired }), 'token_expired');
    const reader = `Bearer ${server.token({ sub, scope: 'files:read' })}`;
    assertFailure(await refuse(path, { ...head, authorization: reader }), 'forbidden');
    assertFailure(await refuse('/uploads/none/part/0', head), 'upload_not_found');
    assertFailure(await refuse(partPath(upload, 4), head), 'part_out_of_range');
    assertFailure(await refuse(partPath(upload, 'x'), head), 'invalid_request');
    assertFailure(await refuse(path, { ...head, 'content-length': '10' }), 'part_size_mismatch');
    assertFailure(await refuse(path, { ...head, 'content-length': '1000000000' }), 'part_too_large');
    assertFailure(await refuse(path, { ...head, 'content-digest': 'md5=:AAAA:' }), 'unsupported_digest');
    assertFailure(await refuse(path, { ...head, 'content-digest': 'x' }), 'invalid_request', 'unsupported_digest');
    assertFailure(await refuse(path, { authorization, 'transfer-encoding': 'chunked' }), 'length_required');
    assertFailure(await refuse('/nowhere', head), 'not_found');
    assertFailure(await refuse('/limits', head), 'method_not_allowed');
  });
  await call('DELETE', `/uploads/${upload.upload_id}`);
  assertFailure(await refuse(path, head), 'upload_closed');
});

test('expect: a body that was not asked for and comes all the same does not become a request', async () => {
  const { upload, bytes } = await openSample(call);
  await put(call, upload, 1, bytes);
  const part = cutPart(bytes, upload, 1);
  const { connection, answer } = await sendHead('PUT', partPath(upload, 1), describe(part));
  assert.equal(answer.status, 200);
  if (/\bclose\b/i.test(answer.headers.connection ?? '')) {
    connection.send(part);
    await connection.closed();
    assert.equal(connection.unread, '');
  } else {
    connection.send(part);
    assert.equal((await connection.exchange('GET', '/healthz')).status, 200);
  }
  connection.close();
});

test('expect: init, too, asks for a body', async () => {
  const body = JSON.stringify(initRequest());
  const headers = { 'content-type': 'application/json', 'content-length': String(body.length) };
  const { connection, answer } = await sendHead('POST', '/uploads/init', headers);
  assert.equal(answer.status, 100);
  connection.send(body);
  const upload = await connection.answer();
  assert.equal(upload.status, 201);
  assert.equal(upload.json<UploadRecord>().status, 'pending');
  connection.close();
  const refused = await sendHead('POST', '/uploads/init', { ...headers, authorization: 'Bearer x' });
  assertFailure(refused.answer, 'unauthenticated');
  refused.connection.close();
});
