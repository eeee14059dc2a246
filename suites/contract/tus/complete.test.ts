/** tus 1.0: PATCH of an upload that has all of its bytes, as a client sends it that has lost the last answer. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startServer } from '../../server-under-test.ts';
import { checksumOf, create, OFFSET_TYPE, patch, readFile, send, tusAs } from './tus-client.ts';

const server = await startServer({ CRYOLIFT_ACCEPT: '*' });
after(() => server.discard());

const HELLO = Buffer.from('hello');
const NOTHING = Buffer.alloc(0);

test('tus: an upload that is complete takes an empty PATCH, chunked or not, and no byte', async () => {
  const call = tusAs(server);
  const path = await create(call, { 'upload-length': String(HELLO.length) });
  await send(call, path, HELLO);
  const chunked = async (body: string, headers: Record<string, string> = {}, offset = HELLO.length) => {
    const framing = { 'content-type': OFFSET_TYPE, 'upload-offset': String(offset), 'transfer-encoding': 'chunked' };
    return await call('PATCH', path, { headers: { ...framing, ...headers }, body });
  };
  for (const answer of [await patch(call, path, HELLO.length, NOTHING), await chunked('0\r\n\r\n')]) {
    assert.deepEqual([answer.status, answer.headers['upload-offset']], [204, '5'], answer.body.toString());
  }
  const right = { 'upload-checksum': checksumOf('sha1', NOTHING) };
  assert.equal((await chunked('0\r\n\r\n', right)).status, 204);
  assert.equal((await chunked('0\r\n\r\n', { 'upload-checksum': checksumOf('sha1', HELLO) })).status, 460);
  assert.equal((await chunked('1\r\n!\r\n0\r\n\r\n')).status, 413);
  assert.equal((await patch(call, path, HELLO.length, Buffer.from('!'))).status, 413);
  assert.equal((await chunked('0\r\n\r\n', {}, 0)).status, 409);
  assert.equal((await readFile(call, path)).bytes.toString(), 'hello');
});
