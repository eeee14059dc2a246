/** Answers that come before the body has: the client must get to read them, and know what becomes of the connection. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { ErrorCode } from '@cryolift/protocol/errors';
import { findServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { digestHeader, makeMrc } from '../sample.ts';
import { keepsUpload, open, openSample, partPath, putBody } from '../upload.ts';
import { type Answer, Connection, callAs, printHead } from '../wire.ts';

const server = await findServer();
after(() => server.discard());
const MIB = 1024 * 1024;
const sub = 'early';
const call = callAs(server, { sub });
const authorization = `Bearer ${server.token({ sub })}`;
const body = Buffer.alloc(8 * MIB, 7);

/**
 * Sends a request with a body of 8 MiB that the server can refuse by its head alone, then another request on the same
 * connection: that is answered, too, or the connection was closed in good order. Once as a client that reads while it
 * sends, once as one that does not.
 */
async function refuse(method: string, path: string, headers: Record<string, string>): Promise<Answer> {
  const head = printHead(method, path, { authorization, 'content-length': String(body.length), ...headers });
  const eager = await Connection.open(server.url);
  eager.send(head);
  for (let at = 0; at < body.length; at += MIB) eager.send(body.subarray(at, at + MIB));
  const answer = await readOn(eager);
  const blocking = await Connection.open(server.url);
  await blocking.sendUnread(Buffer.concat([Buffer.from(head), body]));
  assert.equal((await readOn(blocking)).status, answer.status);
  return answer;
}

async function readOn(connection: Connection): Promise<Answer> {
  const answer = await connection.answer();
  if (/\bclose\b/i.test(answer.headers.connection ?? '')) {
    assert.equal(await connection.closed(), 'ended');
  } else {
    assert.equal((await connection.exchange('GET', '/healthz')).status, 200);
  }
  connection.close();
  return answer;
}

// Invariant 8
test('early answer: a part of 8 MiB that is refused by its head', async () => {
  const { upload } = await openSample(call);
  const large = await open(call, { size: 20 * MIB, part_size: 8 * MIB });
  await putBody(call, large, 1, body);
  const path = partPath(upload, 0);
  await keepsUpload(call, upload, async () => {
    assertFailure(await refuse('PUT', path, { authorization: 'Bearer garbage' }), 'unauthenticated');
    assertFailure(
      await refuse('PUT', path, { authorization: `Bearer ${server.token({ sub: 'x' })}` }),
      'upload_not_found',
    );
    assertFailure(await refuse('PUT', path, {}), 'part_too_large');
    assertFailure(await refuse('PUT', partPath(upload, 99), {}), 'part_out_of_range');
    assertFailure(await refuse('PUT', partPath(upload, 'x'), {}), 'invalid_request');
    assertFailure(await refuse('PUT', path, { 'content-digest': 'md5=:AAAA:' }), 'unsupported_digest');
  });
  await keepsUpload(call, large, async () => {
    const other = { 'content-digest': digestHeader(Buffer.from('other')) };
    assertFailure(await refuse('PUT', partPath(large, 1), other), 'part_conflict');
    assert.equal((await refuse('PUT', partPath(large, 1), { 'content-digest': digestHeader(body) })).status, 200);
    assertFailure(await refuse('PUT', partPath(large, 2), {}), 'part_size_mismatch', 'part_too_large');
  });
  await call('DELETE', `/uploads/${large.upload_id}`);
  assertFailure(await refuse('PUT', partPath(large, 0), {}), 'upload_closed');
});

test('early answer: bodies of 8 MiB where none, or a small one, is wanted', async () => {
  assertFailure(await refuse('POST', '/uploads/init', { 'content-type': 'application/json' }), 'invalid_request');
  assertFailure(await refuse('POST', '/nowhere', {}), 'not_found');
  assertFailure(await refuse('POST', '/limits', {}), 'method_not_allowed');
  assertFailure(await refuse('PATCH', '/uploads/x/part/0', {}), 'method_not_allowed');
});

test('early answer: a client that sends all before it reads can still read a refusal that closes the connection', async () => {
  const path = partPath({ upload_id: 'none' }, 0);
  const length = { 'content-length': String(body.length) };
  const plain = printHead('PUT', path, { authorization, ...length });
  const heads: readonly (readonly [what: string, head: string, code: ErrorCode])[] = [
    // The default of nginx.
    ['HTTP/1.0', plain.replace('HTTP/1.1', 'HTTP/1.0'), 'upload_not_found'],
    ['close', printHead('PUT', path, { authorization, connection: 'close', ...length }), 'upload_not_found'],
    ['401', printHead('PUT', path, { connection: 'close', ...length }), 'unauthenticated'],
    // What caddy passes on, and does not wait for.
    ['expect', printHead('PUT', path, { authorization, expect: '100-continue', ...length }), 'upload_not_found'],
    ['not a part', printHead('POST', '/nowhere', { connection: 'close', ...length }), 'not_found'],
    [
      'JSON that is too long',
      printHead('POST', '/uploads/init', {
        ...{ authorization, connection: 'close', 'content-type': 'application/json' },
        ...length,
      }),
      'invalid_request',
    ],
    ['a bad path', printHead('POST', '/files/%zz', { connection: 'close', ...length }), 'not_found'],
    ['a bad head', plain.replace('\r\n\r\n', '\r\nTransfer-Encoding: chunked\r\n\r\n'), 'invalid_request'],
    ['a long head', printHead('PUT', path, { cookie: 'x'.repeat(20_000), ...length }), 'invalid_request'],
    ['CONNECT', 'CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n', 'method_not_allowed'],
  ];
  for (const [what, head, code] of heads) {
    const connection = await Connection.open(server.url);
    await connection
      .sendUnread(Buffer.concat([Buffer.from(head), body]))
      .catch((error) => assert.fail(`${what}: ${error}`));
    assertFailure(await connection.answer(), code);
    assert.equal(await connection.closed(), 'ended', what);
    connection.close();
  }
});

test('early answer: a client that sends on and on after its refusal is cut off', async () => {
  const connection = await Connection.open(server.url);
  connection.send(printHead('PUT', '/uploads/none/part/0', { authorization, 'content-length': String(2 ** 40) }));
  assertFailure(await connection.answer(), 'upload_not_found');
  await assert.rejects(async () => {
    for (let sentMib = 0; sentMib < 512; sentMib += 8) await connection.sendUnread(body);
  });
  connection.close();
});

test('early answer: a part whose header is refused when its first kilobyte is there', async () => {
  const bad = makeMrc(17 * MIB).subarray(0, 16 * MIB);
  const upload = await open(call, { size: bad.length, part_size: 8 * MIB });
  const answer = await putBody(call, upload, 0, bad.subarray(0, 8 * MIB));
  assertFailure(answer, 'invalid_mrc');
});
