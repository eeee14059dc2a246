/** tus 1.0: checksum and checksum-trailer. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import type { UploadPage } from '@cryolift/protocol/messages';
import { startServer } from '../../server-under-test.ts';
import { checksumOf, create, OFFSET_TYPE, offsetOf, patch, pathOf, post, readFile, tusAs } from './tus-client.ts';

const server = await startServer({ CRYOLIFT_ACCEPT: '*' });
after(() => server.discard());

test('tus checksum: each algorithm lets the right bytes in, and no others', async () => {
  const call = tusAs(server);
  const bytes = randomBytes(400_000);
  const path = await create(call, { 'upload-length': String(bytes.length) });
  for (const [at, algorithm] of ['sha1', 'md5', 'sha256', 'crc32'].entries()) {
    const some = bytes.subarray(at * 100_000, (at + 1) * 100_000);
    const headers = { 'upload-checksum': checksumOf(algorithm, some) };
    const damaged = Buffer.from(some);
    damaged[99_999] = (damaged[99_999] as number) ^ 1;
    const refused = await patch(call, path, at * 100_000, damaged, headers);
    assert.equal(refused.status, 460, algorithm);
    assert.equal(await offsetOf(call, path), at * 100_000);
    assert.equal((await patch(call, path, at * 100_000, some, headers)).status, 204);
  }
  assert.deepEqual((await readFile(call, path)).bytes, bytes);
});

test('tus checksum: an unknown algorithm and a malformed value are 400 and keep nothing', async () => {
  const call = tusAs(server);
  const path = await create(call, { 'upload-length': '10' });
  for (const value of ['md4 AAAA', 'sha1', 'sha1 !!!', 'sha1 AAAA', 'SHA1 2jmj7l5rSw0yVb/vlWAYkK/YBwk=']) {
    assert.equal((await patch(call, path, 0, Buffer.from('12345'), { 'upload-checksum': value })).status, 400, value);
  }
  assert.equal(await offsetOf(call, path), 0);
});

test('tus checksum: counts on the first bytes of a creation, too', async () => {
  const call = tusAs(server);
  const headers = { 'upload-length': '5', 'upload-checksum': checksumOf('sha1', Buffer.from('hello')) };
  assert.equal((await post(call, headers, Buffer.from('hallo'))).status, 460);
  assert.equal((await post(call, { ...headers, 'upload-checksum': 'md4 AAAA' }, Buffer.from('hello'))).status, 400);
  const { items } = (await call('GET', '/uploads')).json<UploadPage>();
  assert.deepEqual([...new Set(items.map(({ status }) => status))], ['cancelled']);
  const answer = await post(call, headers, Buffer.from('hello'));
  assert.equal(answer.status, 201);
  assert.equal((await readFile(call, pathOf(answer))).bytes.toString(), 'hello');
});

test('tus checksum: a trailer is compared', async () => {
  const call = tusAs(server);
  const path = await create(call, { 'upload-length': '5' });
  const framing = { 'content-type': OFFSET_TYPE, 'upload-offset': '0', 'transfer-encoding': 'chunked' };
  const send = async (trailer: string, headers = { ...framing, trailer: 'Upload-Checksum' }) =>
    await call('PATCH', path, { headers, body: `5\r\nhello\r\n0\r\n${trailer}\r\n` });
  assert.equal((await send(`Upload-Checksum: ${checksumOf('sha1', Buffer.from('hallo'))}\r\n`)).status, 460);
  assert.equal((await send('')).status, 400);
  assert.equal((await send('Upload-Checksum: md4 AAAA\r\n')).status, 400);
  assert.equal(await offsetOf(call, path), 0);
  const answer = await send(`Upload-Checksum: ${checksumOf('crc32', Buffer.from('hello'))}\r\n`);
  assert.deepEqual([answer.status, answer.headers['upload-offset']], [204, '5']);
  assert.equal((await readFile(call, path)).bytes.toString(), 'hello');
});

test('tus checksum: the status has the name that tus gives it', async () => {
  const sub = 'named';
  const own = await create(tusAs(server, { sub }), { 'upload-length': '5' });
  const refused = await fetch(server.url + own, {
    method: 'PATCH',
    headers: {
      authorization: `Bearer ${server.token({ sub })}`,
      'tus-resumable': '1.0.0',
      'content-type': OFFSET_TYPE,
      'upload-offset': '0',
      'upload-checksum': checksumOf('sha1', Buffer.from('hallo')),
    },
    body: 'hello',
  });
  assert.deepEqual([refused.status, refused.statusText], [460, 'Checksum Mismatch']);
  const envelope = (await refused.json()) as { code: string };
  assert.equal(envelope.code, 'part_checksum_mismatch');
});
