/** tus 1.0: the core protocol, creation, creation-with-upload, creation-defer-length, expiration, termination. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import type { Limits, UploadPage, UploadRecord } from '@cryolift/protocol/messages';
import { startServer } from '../../server-under-test.ts';
import { sha256Hex } from '../sample.ts';
import { callWith } from '../wire.ts';
import {
  create,
  idOf,
  OFFSET_TYPE,
  offsetOf,
  patch,
  pathOf,
  post,
  printMetadata,
  readFile,
  send,
  tusAs,
} from './tus-client.ts';

const server = await startServer({ CRYOLIFT_ACCEPT: '*', CRYOLIFT_MAX_FILE_SIZE: '10MiB' });
after(() => server.discard());
const anonymous = callWith(server, {});

test('tus: OPTIONS needs no token, and says what the server can', async () => {
  for (const path of ['/tus', '/tus/any']) {
    const answer = await anonymous('OPTIONS', path, { headers: { 'tus-resumable': '0.2.2' } });
    assert.equal(answer.status, 204);
    assert.equal(answer.headers['tus-version'], '1.0.0');
    const extensions = new Set(answer.headers['tus-extension']?.split(','));
    for (const each of ['creation', 'creation-with-upload', 'creation-defer-length', 'termination', 'expiration']) {
      assert.ok(extensions.has(each), each);
    }
    for (const each of ['checksum', 'checksum-trailer', 'concatenation', 'concatenation-unfinished']) {
      assert.ok(extensions.has(each), each);
    }
    assert.deepEqual(answer.headers['tus-checksum-algorithm']?.split(',').sort(), ['crc32', 'md5', 'sha1', 'sha256']);
    const limits = (await anonymous('GET', '/limits')).json<Limits>();
    assert.equal(answer.headers['tus-max-size'], String(limits.max_file_size));
  }
});

test('tus: another version is refused with 412 and nothing is done', async () => {
  const call = tusAs(server);
  for (const version of ['0.2.2', '2.0.0', '']) {
    const answer = await post(call, { 'upload-length': '5', 'tus-resumable': version });
    assert.equal(answer.status, 412);
    assert.equal(answer.headers['tus-version'], '1.0.0');
  }
  const path = await create(call, { 'upload-length': '5' });
  assert.equal((await patch(call, path, 0, Buffer.from('hello'), { 'tus-resumable': '0.2' })).status, 412);
  assert.equal(await offsetOf(call, path), 0);
});

test('tus: refusals carry the version, also without a token and of other methods', async () => {
  const call = tusAs(server);
  const headers = { 'tus-resumable': '1.0.0' };
  const unknown = await anonymous('POST', '/tus', { headers });
  assert.deepEqual([unknown.status, unknown.headers['tus-resumable']], [401, '1.0.0']);
  const put = await call('PUT', '/tus', { body: 'x' });
  assert.equal(put.status, 405);
  assert.equal((await call('HEAD', '/tus/none')).status, 404);
  assert.equal((await patch(call, '/tus/none', 0, Buffer.from('x'))).status, 404);
});

test('tus: bytes that are sent in pieces become a file with its name, and nothing is there twice', async () => {
  const call = tusAs(server);
  const bytes = randomBytes(200_000);
  const path = await create(call, { 'upload-length': String(bytes.length) }, { filename: 'größe.bin', a: 'b' });
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 70_001);
    const answer = await patch(call, path, at, bytes.subarray(at, end));
    assert.equal(answer.status, 204, answer.body.toString());
    assert.equal(answer.headers['upload-offset'], String(end));
    at = end;
  }
  const { file, bytes: stored } = await readFile(call, path);
  assert.deepEqual([file.filename, file.size, file.metadata], ['größe.bin', bytes.length, { a: 'b' }]);
  assert.equal(sha256Hex(stored), sha256Hex(bytes));
  const head = await call('HEAD', path);
  assert.deepEqual([head.status, head.headers['upload-offset']], [200, String(bytes.length)]);
  // A client that did not get the last answer asks again.
  assert.equal((await patch(call, path, bytes.length, Buffer.alloc(0))).status, 204);
});

test('tus: HEAD says all that was sent', async () => {
  const call = tusAs(server);
  const metadata = `filename ${Buffer.from('a.bin').toString('base64')},filetype ,flag`;
  const answer = await post(call, { 'upload-length': '100', 'upload-metadata': metadata });
  assert.equal(answer.status, 201);
  assert.match(answer.headers['upload-expires'] ?? '', / GMT$/);
  const head = await call('HEAD', pathOf(answer));
  assert.equal(head.headers['upload-offset'], '0');
  assert.equal(head.headers['upload-length'], '100');
  assert.equal(head.headers['upload-metadata'], metadata);
  assert.equal(head.headers['upload-defer-length'], undefined);
  assert.match(head.headers['cache-control'] ?? '', /no-store/);
});

test('tus: an upload is an ordinary one', async () => {
  const call = tusAs(server);
  const path = await create(call, { 'upload-length': '10' });
  await patch(call, path, 0, Buffer.from('12345'));
  const record = (await call('GET', `/uploads/${idOf(path)}`)).json<UploadRecord>();
  assert.deepEqual([record.filename, record.size], ['a.bin', 10]);
  const { items } = (await call('GET', '/uploads')).json<UploadPage>();
  assert.deepEqual(
    items.map(({ upload_id }) => upload_id),
    [idOf(path)],
  );
  assert.equal((await tusAs(server)('HEAD', path)).status, 404, 'another owner does not see it');
});

test('tus: a wrong offset is answered 409 with the true one, and changes nothing', async () => {
  const call = tusAs(server);
  const path = await create(call, { 'upload-length': '10' });
  await patch(call, path, 0, Buffer.from('12345'));
  for (const offset of [0, 4, 6, 10]) {
    const answer = await patch(call, path, offset, Buffer.from('x'));
    assert.deepEqual([answer.status, answer.headers['upload-offset']], [409, '5']);
  }
  assert.equal(await offsetOf(call, path), 5);
});

test('tus: what is wrong with a PATCH is said before it is done', async () => {
  const call = tusAs(server);
  const path = await create(call, { 'upload-length': '10' });
  const body = Buffer.from('12345');
  const of = async (headers: Record<string, string>) => (await call('PATCH', path, { headers, body })).status;
  assert.equal(await of({ 'upload-offset': '0' }), 415);
  assert.equal(await of({ 'upload-offset': '0', 'content-type': 'application/octet-stream' }), 415);
  assert.equal(await of({ 'content-type': OFFSET_TYPE }), 400);
  assert.equal(await of({ 'content-type': OFFSET_TYPE, 'upload-offset': '-1' }), 400);
  assert.equal((await patch(call, path, 0, Buffer.alloc(11))).status, 413);
  assert.equal(await offsetOf(call, path), 0);
});

test('tus: a creation needs a length, or says that it comes later', async () => {
  const call = tusAs(server);
  const refused: [number, Record<string, string>][] = [
    [400, {}],
    [400, { 'upload-length': '-1' }],
    [400, { 'upload-length': 'x' }],
    [400, { 'upload-defer-length': '2' }],
    [400, { 'upload-length': '1', 'upload-defer-length': '1' }],
    [400, { 'upload-length': '1', 'upload-metadata': 'filename !!!' }],
    [400, { 'upload-length': '1', 'upload-metadata': printMetadata({ sha256: 'abc' }) }],
    [413, { 'upload-length': String(11 * 1024 * 1024) }],
  ];
  for (const [status, headers] of refused) {
    assert.equal((await post(call, headers)).status, status, JSON.stringify(headers));
  }
  assert.deepEqual((await call('GET', '/uploads')).json<UploadPage>().items, []);
});

test('tus: an upload without a name is named by its id, also with empty metadata', async () => {
  const call = tusAs(server);
  for (const headers of [{ 'upload-metadata': '' }, { 'upload-metadata': 'filename' }, {}]) {
    const path = await create(call, { 'upload-length': '5', ...headers }, {});
    await send(call, path, Buffer.from('hello'));
    assert.equal((await readFile(call, path)).file.filename, idOf(path));
  }
});

test('tus: an empty file is complete at once', async () => {
  const call = tusAs(server);
  const path = await create(call, { 'upload-length': '0' });
  assert.equal((await readFile(call, path)).file.size, 0);
});

test('tus: a creation brings its first bytes, or all', async () => {
  const call = tusAs(server);
  const bytes = randomBytes(1000);
  const headers = { 'upload-length': '1000', 'upload-metadata': printMetadata({ filename: 'a.bin' }) };
  const some = await post(call, headers, bytes.subarray(0, 600));
  assert.deepEqual([some.status, some.headers['upload-offset']], [201, '600']);
  assert.equal((await patch(call, pathOf(some), 600, bytes.subarray(600))).status, 204);
  assert.deepEqual((await readFile(call, pathOf(some))).bytes, bytes);
  const all = await post(call, headers, bytes);
  assert.deepEqual([all.status, all.headers['upload-offset']], [201, '1000']);
  assert.deepEqual((await readFile(call, pathOf(all))).bytes, bytes);
  assert.equal((await post(call, headers, randomBytes(1001))).status, 413);
  const other = { ...headers, 'content-type': 'text/plain' };
  assert.equal((await call('POST', '/tus', { headers: other, body: 'x' })).status, 415);
});

test('tus: a length that comes later is said by the last PATCH, or by one without bytes', async () => {
  const call = tusAs(server);
  const bytes = randomBytes(1000);
  const path = await create(call, { 'upload-defer-length': '1' });
  await patch(call, path, 0, bytes.subarray(0, 600));
  const head = await call('HEAD', path);
  assert.deepEqual([head.headers['upload-defer-length'], head.headers['upload-length']], ['1', undefined]);
  const wrong = await patch(call, path, 599, bytes.subarray(600), { 'upload-length': '1000' });
  assert.deepEqual([wrong.status, wrong.headers['upload-offset']], [409, '600']);
  assert.equal((await call('HEAD', path)).headers['upload-length'], undefined);
  assert.equal((await patch(call, path, 600, bytes.subarray(600), { 'upload-length': '1000' })).status, 204);
  assert.deepEqual((await readFile(call, path)).bytes, bytes);

  const late = await create(call, { 'upload-defer-length': '1' });
  await patch(call, late, 0, bytes);
  assert.equal((await patch(call, late, 1000, Buffer.alloc(0), { 'upload-length': '999' })).status, 400);
  assert.equal((await patch(call, late, 1000, Buffer.alloc(0), { 'upload-length': '1000' })).status, 204);
  assert.deepEqual((await readFile(call, late)).bytes, bytes);
});

test('tus: a length that was said is not changed', async () => {
  const call = tusAs(server);
  const path = await create(call, { 'upload-length': '10' });
  assert.equal((await patch(call, path, 0, Buffer.from('12345'), { 'upload-length': '11' })).status, 400);
  const head = await call('HEAD', path);
  assert.deepEqual([head.headers['upload-offset'], head.headers['upload-length']], ['0', '10']);
  assert.equal((await patch(call, path, 0, Buffer.from('12345'), { 'upload-length': '10' })).status, 204);
});

test('tus: the time to expire moves with each PATCH', async () => {
  const call = tusAs(server);
  const path = await create(call, { 'upload-length': '10' });
  const expiresOf = ({ headers }: { headers: Readonly<Record<string, string>> }) =>
    Date.parse(headers['upload-expires'] as string);
  const first = expiresOf(await call('HEAD', path));
  // The header has seconds.
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const moved = expiresOf(await patch(call, path, 0, Buffer.from('12345')));
  assert.ok(moved > first);
  assert.equal(expiresOf(await call('HEAD', path)), moved);
});

test('tus: DELETE ends an upload, which is gone then', async () => {
  const call = tusAs(server);
  const path = await create(call, { 'upload-length': '10' });
  await patch(call, path, 0, Buffer.from('12345'));
  const other = tusAs(server);
  assert.equal((await other('DELETE', path)).status, 404);
  assert.equal((await call('DELETE', path)).status, 204);
  const head = await call('HEAD', path);
  assert.deepEqual([head.status, head.headers['upload-offset']], [410, undefined]);
  assert.equal((await patch(call, path, 5, Buffer.from('67890'))).status, 410);
  assert.equal((await call('DELETE', path)).status, 410);
});

test('tus: DELETE of a complete upload deletes its file, for a caller who may do that', async () => {
  const sub = 'deleting';
  const call = tusAs(server, { sub });
  const path = await create(call, { 'upload-length': '5' });
  await send(call, path, Buffer.from('hello'));
  const writer = tusAs(server, { sub, scope: 'uploads:write' });
  assert.equal((await writer('DELETE', path)).status, 403);
  assert.equal((await readFile(call, path)).bytes.toString(), 'hello');
  assert.equal((await call('DELETE', path)).status, 204);
  assert.equal((await call('HEAD', path)).status, 410);
});

test('tus: a client that can only send POST says what it means', async () => {
  const call = tusAs(server);
  const path = await create(call, { 'upload-length': '10' });
  const body = Buffer.from('12345');
  const headers = { 'content-type': OFFSET_TYPE, 'upload-offset': '0', 'x-http-method-override': 'PATCH' };
  const answer = await call('POST', path, { headers, body });
  assert.deepEqual([answer.status, answer.headers['upload-offset']], [204, '5']);
  assert.equal((await call('POST', path, { headers: { 'x-http-method-override': 'HEAD' } })).status, 200);
  assert.equal((await call('POST', path)).status, 405);
  assert.equal((await call('GET', path, { headers: { 'x-http-method-override': 'DELETE' } })).status, 200);
  assert.equal((await call('POST', path, { headers: { 'x-http-method-override': 'DELETE' } })).status, 204);
  assert.equal((await call('HEAD', path)).status, 410);
});

test('tus: GET of a complete upload leads to its file', async () => {
  const call = tusAs(server, { sub: 'reading' });
  const path = await create(call, { 'upload-length': '5' });
  assert.equal((await call('GET', path)).headers['upload-offset'], '0');
  await send(call, path, Buffer.from('hello'));
  const answer = await call('GET', path);
  assert.equal(answer.status, 303);
  assert.equal((await call('GET', answer.headers.location as string)).body.toString(), 'hello');
  const writer = tusAs(server, { sub: 'reading', scope: 'uploads:write' });
  assert.deepEqual(
    [(await writer('GET', path)).status, (await writer('GET', path)).headers.location],
    [200, undefined],
  );
});

test('tus: a digest of the whole in the metadata is checked at the end', async () => {
  const call = tusAs(server);
  const bytes = randomBytes(1000);
  const good = await create(call, { 'upload-length': '1000' }, { filename: 'a.bin', sha256: sha256Hex(bytes) });
  await send(call, good, bytes);
  const { file } = await readFile(call, good);
  assert.deepEqual([file.sha256, file.metadata], [sha256Hex(bytes), {}]);
  const bad = await create(call, { 'upload-length': '1000' }, { filename: 'a.bin', sha256: 'ab'.repeat(32) });
  const answer = await patch(call, bad, 0, bytes);
  assert.equal(answer.status, 422);
  assert.equal(answer.json<{ code: string }>().code, 'file_checksum_mismatch');
  assert.equal((await call('HEAD', bad)).status, 410);
});
