/** Starting IETF resumable uploads: draft-ietf-httpbis-resumable-upload, "Upload Creation". */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { FileRecord } from '@cryolift/protocol/messages';
import { HAS_LATE_DIGESTS, startServer } from '../../server-under-test.ts';
import { digestHeader, makeMrc } from '../sample.ts';
import { readUploadRecord } from '../upload.ts';
import { Connection, callWith, printHead } from '../wire.ts';
import {
  assertProblem,
  assertPublished,
  PARTIAL_UPLOAD,
  pathOf,
  readExchange,
  sendAs,
  sendWith,
  versionHeader,
} from './client.ts';

const server = await startServer({ CRYOLIFT_MAX_FILE_SIZE: '64MiB' });
after(() => server.discard());

test('resumable creation: one request uploads a file, and answers its record', async () => {
  const bytes = makeMrc(200_000);
  const send = sendAs(server, 8);
  const exchange = await send('POST', '/resumable/movie.mrc', { 'upload-complete': '?1' }, bytes);
  const { interim, final } = exchange;
  assert.equal(final.headers['upload-complete'], '?1');
  assert.equal(final.headers['upload-offset'], '200000');
  const file = await assertPublished(send, exchange, bytes);
  assert.equal(file.filename, 'movie.mrc');
  const [first] = interim;
  assert.equal(first?.status, 104);
  assert.equal(first?.headers['upload-draft-interop-version'], '8');
  assert.match(first?.headers['upload-limit'] ?? '', /max-size=67108864, min-size=0, max-age=\d+/);
  assert.equal(first?.headers.location, final.headers.location);
});

test('resumable creation: curl -T sends PUT to the name, and to /resumable/ with its own', async () => {
  const bytes = makeMrc(3_000);
  const send = sendAs(server, null);
  const put = await send('PUT', '/resumable/k%C3%A4lte.mrc', { 'upload-complete': '?1' }, bytes);
  assert.equal(put.final.json<FileRecord>().filename, 'kälte.mrc');
  assert.deepEqual(put.interim, [], 'no 104 without a version');
  const disposition = { 'content-disposition': "inline; filename*=UTF-8''a%20b.mrc" };
  const named = await send('POST', '/resumable', { 'upload-complete': '?1', ...disposition }, bytes);
  assert.equal(named.final.json<FileRecord>().filename, 'a b.mrc');
});

test('resumable creation: no 104 for a version that the server does not have', async () => {
  for (const version of [4, 7, 9, 1000]) {
    const { interim, final } = await sendAs(server, version)(
      'POST',
      '/resumable/a.mrc',
      { 'upload-complete': '?1' },
      makeMrc(2_000),
    );
    assert.equal(final.status, 201);
    assert.deepEqual(interim, []);
    assert.equal(final.headers['upload-draft-interop-version'], undefined);
  }
});

test('resumable creation: an empty one answers where the upload is', async () => {
  const send = sendAs(server, 8);
  const { final } = await send('POST', '/resumable/a.mrc', { 'upload-complete': '?0', 'upload-length': '5000' });
  assert.equal(final.status, 201);
  assert.equal(final.headers['upload-complete'], '?0');
  assert.equal(final.headers['upload-offset'], '0');
  assert.match(final.headers['upload-limit'] ?? '', /\bmax-age=[1-9]\d*\b/);
  const head = await send('HEAD', pathOf(final.headers.location));
  assert.equal(head.final.status, 204);
  assert.equal(head.final.headers['upload-length'], '5000');
});

test('resumable creation: the length is known after the last byte alone, in chunks', async () => {
  const bytes = makeMrc(150_000);
  const token = server.token({ sub: 'chunks' });
  const connection = await Connection.open(server.url);
  const framing = { 'transfer-encoding': 'chunked', 'upload-complete': '?1', authorization: `Bearer ${token}` };
  connection.send(printHead('PUT', '/resumable/chunks.mrc', framing));
  for (let at = 0; at < bytes.length; at += 30_000) {
    const chunk = bytes.subarray(at, at + 30_000);
    connection.send(`${chunk.length.toString(16)}\r\n`);
    connection.send(chunk);
    connection.send('\r\n');
  }
  connection.send('0\r\n\r\n');
  const exchange = await readExchange(connection, 'PUT');
  connection.close();
  await assertPublished(sendAs(server, null, { sub: 'chunks' }), exchange, bytes);
});

test('resumable creation: progress is reported while the body arrives', async () => {
  const bytes = makeMrc(20 * 1024 * 1024);
  const connection = await Connection.open(server.url);
  const headers = {
    authorization: `Bearer ${server.token({ sub: 'progress' })}`,
    'content-length': String(bytes.length),
    'upload-complete': '?1',
    ...versionHeader(8),
  };
  connection.send(printHead('POST', '/resumable/progress.mrc', headers));
  const first = await connection.answer('POST');
  assert.equal(first.status, 104);
  assert.ok(first.headers.location, 'before the body');
  connection.send(bytes.subarray(0, 17 * 1024 * 1024));
  const interim = await connection.answer('POST');
  assert.equal(interim.status, 104);
  assert.equal(interim.headers.location, undefined);
  assert.equal(interim.headers['upload-draft-interop-version'], '8');
  assert.ok(Number(interim.headers['upload-offset']) > 0);
  connection.send(bytes.subarray(17 * 1024 * 1024));
  const { final } = await readExchange(connection, 'POST');
  connection.close();
  assert.equal(final.status, 201);
});

test('resumable creation: 100 Continue is sent beside 104', async () => {
  const bytes = makeMrc(2_000);
  const headers = { expect: '100-continue', 'upload-complete': '?1' };
  const { interim } = await sendAs(server, 8)('POST', '/resumable/a.mrc', headers, bytes);
  assert.deepEqual(
    interim.map(({ status }) => status),
    [104, 100],
  );
});

test('resumable creation: what the head contradicts is refused, and leaves no upload', async () => {
  const owner = 'nothing-left';
  const send = sendAs(server, null, { sub: owner });
  const bytes = makeMrc(2_000);
  const refuse = async (headers: Record<string, string>, status: number, code: never, type: string | null = null) => {
    const { final } = await send('POST', '/resumable/a.mrc', { 'upload-complete': '?1', ...headers }, bytes);
    assertProblem(final, status, code, type);
  };
  await refuse({ 'upload-length': '1999' }, 400, 'invalid_request' as never, 'inconsistent-upload-length');
  await refuse({ 'upload-length': '2001' }, 400, 'invalid_request' as never, 'inconsistent-upload-length');
  await refuse(
    { 'upload-length': '1', 'upload-complete': '?0' },
    400,
    'invalid_request' as never,
    'inconsistent-upload-length',
  );
  await refuse({ 'upload-complete': 'yes' }, 400, 'invalid_request' as never);
  await refuse({ 'content-encoding': 'gzip' }, 415, 'invalid_request' as never);
  await refuse({ 'content-type': 'multipart/form-data; boundary=x' }, 415, 'invalid_request' as never);
  await refuse({ 'repr-digest': 'sha-512=:AAAA:' }, 400, 'unsupported_digest' as never);
  await refuse({ 'content-digest': 'md5=:AAAA:' }, 400, 'unsupported_digest' as never);
  await refuse({ 'content-digest': digestHeader(Buffer.from('other')) }, 422, 'part_checksum_mismatch' as never);
  await refuse({ 'content-disposition': 'inline; filename="../a.mrc"' }, 400, 'invalid_filename' as never);
  await refuse({ 'content-disposition': 'inline; filename="a.exe"' }, 415, 'unsupported_file_type' as never);
  assertProblem((await send('POST', '/resumable/a/b.mrc', { 'upload-complete': '?1' }, bytes)).final, 404, 'not_found');
  const call = callWith(server, { authorization: `Bearer ${server.token({ sub: owner })}` });
  const open = (await call('GET', '/uploads')).json<{ items: { status: string }[] }>().items;
  assert.deepEqual(
    open.filter(({ status }) => status !== 'cancelled'),
    [],
  );
});

test('resumable creation: a file that is too large is refused with the limits', async () => {
  const headers = { 'upload-complete': '?0', 'upload-length': String(65 * 1024 * 1024) };
  const { final } = await sendAs(server, 8)('POST', '/resumable/a.mrc', headers);
  assertProblem(final, 413, 'file_too_large');
  assert.match(final.headers['upload-limit'] ?? '', /\bmax-size=67108864\b/);
});

test('resumable creation: the digest of the whole file is checked when it is complete', async () => {
  const bytes = makeMrc(100_000);
  const send = sendAs(server, 8);
  const right = await send(
    'POST',
    '/resumable/a.mrc',
    { 'upload-complete': '?1', 'repr-digest': digestHeader(bytes) },
    bytes,
  );
  assert.equal(right.final.status, 201);
  const wrong = { 'upload-complete': '?1', 'repr-digest': digestHeader(Buffer.from('other')) };
  const refused = await send('POST', '/resumable/a.mrc', wrong, bytes);
  assertProblem(refused.final, 422, 'file_checksum_mismatch');
  assert.equal(refused.final.headers['upload-complete'], '?1', 'the upload is over, and its processing has failed');
  const gone = await send('GET', pathOf(refused.interim[0]?.headers.location));
  const { details } = gone.final.json<{ details: { status: string; failure: { code: string } } }>();
  assert.deepEqual(
    [gone.final.status, details.status, details.failure.code],
    [410, 'failed', 'file_checksum_mismatch'],
  );
});

test('resumable creation: a wanted digest comes with the file, also when it was wanted at the start', async () => {
  const bytes = makeMrc(5_000);
  const send = sendAs(server, 8);
  const wanted = { 'want-repr-digest': 'sha-256=5' };
  const whole = await send('POST', '/resumable/a.mrc', { 'upload-complete': '?1', ...wanted }, bytes);
  // A digest that comes late is not in the answer.
  const expected = HAS_LATE_DIGESTS ? undefined : digestHeader(bytes);
  assert.equal(whole.final.headers['repr-digest'], expected);
  const started = await send('POST', '/resumable/a.mrc', { 'upload-complete': '?0', ...wanted });
  const append = { 'content-type': PARTIAL_UPLOAD, 'upload-offset': '0', 'upload-complete': '?1' };
  const done = await send('PATCH', pathOf(started.final.headers.location), append, bytes);
  assert.equal(done.final.headers['repr-digest'], expected);
});

test('resumable creation: it is an ordinary upload, with the type that the client names', async () => {
  const sub = 'ordinary';
  const send = sendAs(server, 8, { sub });
  const headers = { 'upload-complete': '?0', 'content-type': 'image/x-mrc' };
  const { final } = await send('POST', '/resumable/a.mrc', headers, makeMrc(2_000));
  const upload_id = pathOf(final.headers.location).split('/').at(-1) as string;
  const call = callWith(server, { authorization: `Bearer ${server.token({ sub })}` });
  const upload = await readUploadRecord(call, { upload_id });
  assert.equal(upload.filename, 'a.mrc');
  assert.deepEqual(upload.metadata, { filetype: 'image/x-mrc' });
});

test('resumable creation: it needs a token that may write', async () => {
  const bytes = makeMrc(2_000);
  const nobody = await sendWith(server, {})('POST', '/resumable/a.mrc', { 'upload-complete': '?1' }, bytes);
  assertProblem(nobody.final, 401, 'unauthenticated');
  assert.equal(nobody.final.headers['www-authenticate'], 'Bearer');
  const reader = await sendAs(server, 8, { scope: 'files:read' })(
    'POST',
    '/resumable',
    { 'upload-complete': '?1' },
    bytes,
  );
  assertProblem(reader.final, 403, 'forbidden');
});
