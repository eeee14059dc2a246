/** HTTP that is not quite HTTP: always an answer of the contract or a closed connection, never a guess at where a request ends. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { findServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { makeMrc } from '../sample.ts';
import { cutPart, initRequest, keepsUpload, open, openSample, partPath, publish } from '../upload.ts';
import { type Answer, Connection, callAs, callWith, printHead } from '../wire.ts';

const server = await findServer();
after(() => server.discard());
const sub = 'malformed';
const call = callAs(server, { sub });
const authorization = `Bearer ${server.token({ sub })}`;

/** Sends these bytes on a new connection and reads the first answer. */
async function sendRaw(bytes: string): Promise<Answer> {
  const connection = await Connection.open(server.url);
  connection.send(Buffer.from(bytes, 'latin1'));
  return await connection.answer().finally(() => connection.close());
}

const HOST = 'Host: x\r\n';
const MALFORMED: Readonly<Record<string, string>> = {
  'no path and no version': 'GET\r\n\r\n',
  'a version that is none': `GET /healthz HTTP/9.9\r\n${HOST}\r\n`,
  'another protocol': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
  'a blank in the path': `GET /health z HTTP/1.1\r\n${HOST}\r\n`,
  'a name without a colon': `GET /healthz HTTP/1.1\r\n${HOST}Nonsense\r\n\r\n`,
  'a blank in a name': `GET /healthz HTTP/1.1\r\n${HOST}A b: c\r\n\r\n`,
  'a blank before the colon': `GET /healthz HTTP/1.1\r\n${HOST}Accept : c\r\n\r\n`,
  'NUL in a value': `GET /healthz HTTP/1.1\r\n${HOST}A: b\0c\r\n\r\n`,
  'a bare CR': `GET /healthz HTTP/1.1\r\n${HOST}A: b\rc: d\r\n\r\n`,
  'no Host': 'GET /healthz HTTP/1.1\r\n\r\n',
  'a header of 100 KB': `GET /healthz HTTP/1.1\r\n${HOST}A: ${'x'.repeat(100_000)}\r\n\r\n`,
  'very many headers': `GET /healthz HTTP/1.1\r\n${HOST}${'A: b\r\n'.repeat(20_000)}\r\n`,
  'a path of 100 KB': `GET /${'x'.repeat(100_000)} HTTP/1.1\r\n${HOST}\r\n`,
};

for (const [what, bytes] of Object.entries(MALFORMED)) {
  test(`${what}: refused with the envelope`, async () => {
    assertFailure(await sendRaw(bytes), 'invalid_request');
  });
}

const AMBIGUOUS: Readonly<Record<string, string>> = {
  'two lengths': 'Content-Length: 5\r\nContent-Length: 6\r\n',
  'two lengths in one': 'Content-Length: 5, 6\r\n',
  'a length and chunks': 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n',
  'a signed length': 'Content-Length: +5\r\n',
  'a negative length': 'Content-Length: -5\r\n',
  'a hexadecimal length': 'Content-Length: 0x5\r\n',
  'a length with a blank': 'Content-Length: 5 5\r\n',
  'a length that is a fraction': 'Content-Length: 5.0\r\n',
  'a length beyond all numbers': 'Content-Length: 99999999999999999999\r\n',
  'an empty length': 'Content-Length:\r\n',
  'an unknown transfer coding': 'Transfer-Encoding: gzip\r\n',
  'chunks that are not last': 'Transfer-Encoding: chunked, gzip\r\n',
  'a folded length': 'Content-Length:\r\n 5\r\n',
};

for (const [what, framing] of Object.entries(AMBIGUOUS)) {
  test(`${what}: refused, and what follows is not taken for a request`, async () => {
    const { upload } = await openSample(call);
    const rest = `${HOST}Authorization: ${authorization}\r\nContent-Type: application/json\r\n`;
    const smuggled = `DELETE /uploads/${upload.upload_id} HTTP/1.1\r\n${rest}\r\n`;
    await keepsUpload(call, upload, async () => {
      for (const target of [`PUT ${partPath(upload, 0)}`, 'POST /uploads/init']) {
        const connection = await Connection.open(server.url);
        connection.send(`${target} HTTP/1.1\r\n${rest}${framing}\r\n${smuggled}`);
        assertFailure(await connection.answer(), 'invalid_request', 'length_required', 'part_too_large');
        await connection.closed();
        assert.equal(connection.unread, '');
      }
    });
  });
}

test('malformed http: what comes after the announced length is not stored, and not taken for a request', async () => {
  const { upload, bytes } = await openSample(call);
  const connection = await Connection.open(server.url);
  const body = Buffer.concat([cutPart(bytes, upload, 0), Buffer.from('and a tail\r\n\r\n')]);
  const headers = { authorization, 'content-length': String(upload.part_size) };
  connection.send(printHead('PUT', partPath(upload, 0), headers));
  connection.send(body);
  assert.equal((await connection.answer()).status, 201);
  assertFailure(await connection.answer(), 'invalid_request');
  assert.equal(await connection.closed(), 'ended');
});

test('malformed HTTP: a chunked part, or one without a length, is refused with length_required', async () => {
  const { upload, bytes } = await openSample(call);
  const part = cutPart(bytes, upload, 0);
  const headers = { authorization, 'transfer-encoding': 'chunked' };
  await keepsUpload(call, upload, async () => {
    const chunked = Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n0\r\n\r\n')]);
    assertFailure(await call('PUT', partPath(upload, 0), { headers, body: chunked }), 'length_required');
    assertFailure(await call('PUT', partPath(upload, 0)), 'length_required');
  });
});

test('malformed http: what older or laxer software sends is refused or understood; both are said clearly', async () => {
  for (const bytes of [
    'GET /healthz HTTP/1.1\nHost: x\n\n',
    `GET /healthz HTTP/1.1\n${HOST}\r\n`,
    `GET /healthz\r\n${HOST}\r\n`,
  ]) {
    const answer = await sendRaw(bytes);
    if (answer.status !== 200) assertFailure(answer, 'invalid_request');
  }
});

test('Host: two lines, or none in HTTP/1.1, are refused by every kind of call; the connection goes on', async () => {
  for (const [what, lines] of [
    ['two that differ', 'Host: x\r\nHost: y\r\n'],
    ['two alike', 'Host: x\r\nhost: x\r\n'],
    ['none', ''],
  ] as const) {
    for (const path of ['/healthz', '/uploads', '/openapi.json', '/', '/nowhere']) {
      const connection = await Connection.open(server.url);
      connection.send(`GET ${path} HTTP/1.1\r\n${lines}Authorization: ${authorization}\r\n\r\n`);
      const answer = await connection.answer();
      assert.equal(answer.status, 400, `${what}: ${path}`);
      connection.close();
    }
  }
});

test('malformed http: HTTP/1.0 needs no Host, and gets an answer that it can read', async () => {
  const connection = await Connection.open(server.url);
  connection.send('GET /healthz HTTP/1.0\r\n\r\n');
  assert.equal((await connection.answer()).status, 200);
  assert.equal(await connection.closed(), 'ended');
});

test('malformed http: a request target in absolute form is understood (RFC 9112 section 3.2.2)', async () => {
  const answer = await sendRaw(`GET ${server.url}/healthz HTTP/1.1\r\nHost: ${new URL(server.url).host}\r\n\r\n`);
  assert.equal(answer.status, 200);
});

test('malformed http: pipelined requests are answered in order', async () => {
  const connection = await Connection.open(server.url);
  const paths = ['/healthz', '/nowhere', '/limits', '/uploads'];
  connection.send(paths.map((path) => `GET ${path} HTTP/1.1\r\n${HOST}\r\n`).join(''));
  const statuses: number[] = [];
  for (const _ of paths) statuses.push((await connection.answer()).status);
  assert.deepEqual(statuses, [200, 404, 200, 401]);
  connection.close();
});

const NOWHERE = [
  ...'/nowhere /uploads/ /uploads//parts //healthz /healthz/ /UPLOADS /uploads/../healthz/x /.env /ü /uploads/%zz /% /%00'.split(
    ' ',
  ),
  ...'/files/%2e%2e%2fetc%2fpasswd/content /files/../../etc/passwd /files/x/content/y /uploads/x/part'.split(' '),
  ...'/docs/../../package.json /docs/%2e%2e/%2e%2e/package.json /docs/static/..%2f..%2fpackage.json'.split(' '),
  ...'/uploads/x/part/1/2 /uploads/init/x'.split(' '),
  ...[`/${'x'.repeat(5000)}`, `/uploads/${'x'.repeat(5000)}`],
];
for (const path of NOWHERE) {
  test(`malformed http: the path ${path.slice(0, 60)} is not there`, async () => {
    assertFailure(await call('GET', path), 'not_found', 'invalid_request', 'upload_not_found', 'file_not_found');
  });
}

const WRONG_METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'TRACE'];
test('malformed http: a method that a path does not have: 405, and the ones that it has', async () => {
  const { upload_id } = await open(call);
  const { file_id } = await publish(call, makeMrc(2000));
  for (const [path, ...methods] of [
    ['/uploads/init', 'POST'],
    [`/uploads/${upload_id}/part/0`, 'PUT'],
    [`/uploads/${upload_id}`, 'GET', 'DELETE'],
    [`/uploads/${upload_id}/parts`, 'GET'],
    [`/uploads/${upload_id}/complete`, 'POST'],
    ['/uploads', 'GET'],
    ['/files', 'GET'],
    [`/files/${file_id}`, 'GET', 'PATCH', 'DELETE'],
    [`/files/${file_id}/content`, 'GET'],
    [`/files/${file_id}/sign`, 'POST'],
    [`/uploads/${upload_id}/sign`, 'POST'],
    ['/links', 'GET', 'POST', 'DELETE'],
    ['/links/none', 'DELETE'],
    ['/limits', 'GET'],
    ['/healthz', 'GET'],
    ['/readyz', 'GET'],
    ['/metrics', 'GET'],
    ['/openapi.json', 'GET'],
    ['/docs', 'GET'],
    ['/', 'GET'],
  ] as const) {
    for (const method of WRONG_METHODS.filter((each) => !(methods as readonly string[]).includes(each))) {
      // `init` might be an upload's id, which can be read and cancelled.
      if (path === '/uploads/init' && ['GET', 'DELETE'].includes(method)) continue;
      const answer = await call(method, path);
      assertFailure(answer, 'method_not_allowed');
      const allowed = (answer.headers.allow ?? '').split(/, */);
      for (const each of methods) assert.ok(allowed.includes(each), `${method} ${path} allows ${allowed}`);
      assert.ok(!allowed.includes(method), `${method} ${path} allows ${allowed}`);
    }
  }
});

test('malformed http: methods that nobody knows are refused', async () => {
  for (const method of ['BREW', 'get', 'CONNECT', 'PRI', 'X'.repeat(500)]) {
    const connection = await Connection.open(server.url);
    connection.send(`${method} /uploads HTTP/1.1\r\n${HOST}Authorization: ${authorization}\r\n\r\n`);
    assertFailure(await connection.answer(), 'invalid_request', 'method_not_allowed', 'not_found');
    connection.close();
  }
});

test('OPTIONS is answered: with the methods, or as one that the path does not have', async () => {
  for (const path of ['/uploads/init', '/uploads', '/files']) {
    const answer = await callWith(server, {})('OPTIONS', path);
    if (answer.status >= 300) assertFailure(answer, 'method_not_allowed', 'not_found');
    else assert.ok(answer.headers.allow ?? answer.headers['access-control-allow-methods']);
  }
});

test('malformed http: an expectation that nobody can meet is refused or ignored', async () => {
  const answer = await call('POST', '/uploads/init', { json: initRequest(), headers: { expect: '200-ok' } });
  if (answer.status !== 201) assertFailure(answer, 'invalid_request');
});

test('malformed http: CONNECT from a client that resets the connection ends nothing but that connection', async () => {
  const { hostname, port } = new URL(server.url);
  for (let round = 0; round < 20; round++) {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write('CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n', () => socket.resetAndDestroy());
    await once(socket, 'close');
  }
  assert.equal((await callWith(server, {})('GET', '/healthz')).status, 200);
});
