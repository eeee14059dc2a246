/** tus with upload links: as a token, and in the URL. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { UploadLink } from '@cryolift/protocol/messages';
import { startServer } from '../../server-under-test.ts';
import { eventually } from '../upload.ts';
import { type Call, callAs, callWith } from '../wire.ts';
import { asTus, create, offsetOf, patch, post, printMetadata, readFile, send, tusAs } from './tus-client.ts';

const server = await startServer({ CRYOLIFT_ACCEPT: '*' });
after(() => server.discard());

async function makeLink(sub: string, limits: object = {}): Promise<UploadLink> {
  return (await callAs(server, { sub })('POST', '/links', { json: limits })).json<UploadLink>();
}

test('tus links: a link uploads for its owner', async () => {
  const sub = 'linking';
  const { token } = await makeLink(sub);
  const call = asTus(callWith(server, { authorization: `Bearer ${token}` }));
  const path = await create(call, { 'upload-length': '5' });
  assert.equal(await offsetOf(call, path), 0);
  await send(call, path, Buffer.from('hello'));
  assert.equal((await readFile(tusAs(server, { sub }), path)).bytes.toString(), 'hello');
});

test('tus links: HEAD of a complete upload has its offset, also for a link, which has no access to the file', async () => {
  const { token } = await makeLink('answer-lost');
  const call = asTus(callWith(server, { authorization: `Bearer ${token}` }));
  const path = await create(call, { 'upload-length': '5' });
  await send(call, path, Buffer.from('hello'));
  const { status, headers } = await call('HEAD', path);
  assert.deepEqual([status, headers['upload-offset']], [200, '5']);
});

test('tus links: the token may stand in the URL, which Location repeats', async () => {
  const sub = 'pasting';
  const { token } = await makeLink(sub);
  const call = asTus(callWith(server, {}));
  const headers = {
    'upload-length': '5',
    'upload-metadata': printMetadata({ filename: 'a.bin' }),
    'content-length': '0',
  };
  const answer = await call('POST', `/tus?token=${token}`, { headers });
  assert.equal(answer.status, 201, answer.body.toString());
  const location = answer.headers.location as string;
  assert.ok(location.endsWith(`?token=${token}`));
  assert.equal(await offsetOf(call, location), 0);
  assert.equal((await call('HEAD', location.replace(/\?.*/, ''))).status, 401);
  await send(call, location, Buffer.from('hello'));
  assert.equal((await readFile(tusAs(server, { sub }), location)).bytes.toString(), 'hello');
  await eventually(
    async () => server.stdout + server.stderr,
    (log) => log.includes('PATCH'),
  );
  assert.ok(!(server.stdout + server.stderr).includes(token), 'it is not in the log');
});

test('tus links: a concatenation does not keep the token of its URLs', async () => {
  const { token } = await makeLink('joining');
  const call = asTus(callWith(server, {}));
  const query = `?token=${token}`;
  const headers = { 'upload-length': '5', 'upload-concat': 'partial', 'content-length': '0' };
  const partial = (await call('POST', `/tus${query}`, { headers })).headers.location as string;
  await send(call, partial, Buffer.from('hello'));
  const answer = await call('POST', `/tus${query}`, {
    headers: { 'upload-concat': `final;${partial}`, 'content-length': '0' },
  });
  assert.equal(answer.status, 201, answer.body.toString());
  const head = await call('HEAD', answer.headers.location as string);
  assert.equal(head.headers['upload-concat'], `final;${partial.replace(query, '')}`);
});

test('tus links: other tokens are not taken from the URL, and other calls take none', async () => {
  const { token } = await makeLink('wrong');
  const call = asTus(callWith(server, {}));
  const jwt = server.token();
  assert.equal((await call('POST', `/tus?token=${jwt}`, { headers: { 'upload-length': '5' } })).status, 401);
  assert.equal((await call('POST', '/tus?token=', { headers: { 'upload-length': '5' } })).status, 401);
  assert.equal((await call('GET', `/uploads?token=${token}`)).status, 401);
});

test('tus links: the limits of a link hold, and its partial uploads are no files', async () => {
  const { token } = await makeLink('limited', { max_bytes: 10, max_files: 1 });
  const call = asTus(callWith(server, { authorization: `Bearer ${token}` }));
  assert.equal((await post(call, { 'upload-length': '11' })).status, 413);
  const paths = await Promise.all(
    ['hello', 'world'].map(async (text) => {
      const path = await create(call, { 'upload-length': '5', 'upload-concat': 'partial' }, {});
      assert.equal((await patch(call, path, 0, Buffer.from(text))).status, 204);
      return path;
    }),
  );
  assert.equal((await post(call, { 'upload-concat': `final;${paths.join(' ')}` })).status, 201);
  assert.equal((await post(call, { 'upload-length': '0' })).status, 413);
});

test('tus links: what another caller has is not there', async () => {
  const sub = 'separate';
  const owner = tusAs(server, { sub });
  const [one, two] = await Promise.all(
    [1, 2].map(async () => {
      const { token } = await makeLink(sub);
      return asTus(callWith(server, { authorization: `Bearer ${token}` }));
    }),
  );
  const path = await create(owner, { 'upload-length': '5' });
  const ofLink = await create(one as Call, { 'upload-length': '5', 'upload-concat': 'partial' }, {});
  for (const [call, foreign] of [
    [one as Call, path],
    [two as Call, ofLink],
    [tusAs(server), path],
  ] as const) {
    assert.equal((await call('HEAD', foreign)).status, 404);
    assert.equal((await call('GET', foreign)).status, 404);
    assert.equal((await call('DELETE', foreign)).status, 404);
    assert.equal((await patch(call, foreign, 0, Buffer.from('x'))).status, 404);
    assert.equal((await post(call, { 'upload-concat': `final;${foreign}` })).status, 404);
  }
  assert.deepEqual([await offsetOf(owner, path), await offsetOf(owner, ofLink)], [0, 0]);
});
