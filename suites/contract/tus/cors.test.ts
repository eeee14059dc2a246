/** tus from pages of another origin. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startServer } from '../../server-under-test.ts';
import { callWith } from '../wire.ts';
import { patch, pathOf, post, tusAs } from './tus-client.ts';

const ORIGIN = 'https://portal.example.org';
const server = await startServer({ CRYOLIFT_CORS_ORIGINS: ORIGIN, CRYOLIFT_ACCEPT: '*' });
after(() => server.discard());

const SENT =
  'Authorization, Content-Type, X-Requested-With, X-Request-ID, X-HTTP-Method-Override, Tus-Resumable, Upload-Length, ' +
  'Upload-Offset, Upload-Metadata, Upload-Defer-Length, Upload-Concat, Upload-Checksum';
const READ =
  'Location, Upload-Offset, Upload-Length, Upload-Metadata, Upload-Defer-Length, Upload-Concat, Upload-Expires, ' +
  'Tus-Resumable, Tus-Version, Tus-Extension, Tus-Max-Size, Tus-Checksum-Algorithm, X-Request-ID, Retry-After';
const namesIn = (list = '') => new Set(list.toLowerCase().split(', '));

test('tus cors: a preflight allows the methods and headers of tus', async () => {
  for (const [path, method] of [
    ['/tus', 'POST'],
    ['/tus/x', 'PATCH'],
    ['/tus/x', 'HEAD'],
    ['/tus/x', 'DELETE'],
  ] as const) {
    const answer = await callWith(server, { origin: ORIGIN, 'access-control-request-method': method })('OPTIONS', path);
    assert.equal(answer.status, 204);
    assert.equal(answer.headers['access-control-allow-origin'], ORIGIN);
    assert.ok(namesIn(answer.headers['access-control-allow-methods']).has(method.toLowerCase()), method);
    const allowed = namesIn(answer.headers['access-control-allow-headers']);
    for (const name of namesIn(SENT)) assert.ok(allowed.has(name), name);
    assert.match(answer.headers['access-control-max-age'] ?? '', /^\d+$/);
  }
});

test('tus cors: OPTIONS that is no preflight is answered by tus, and may be read', async () => {
  const answer = await callWith(server, { origin: ORIGIN })('OPTIONS', '/tus');
  assert.deepEqual([answer.status, answer.headers['tus-version']], [204, '1.0.0']);
  assert.equal(answer.headers['access-control-allow-origin'], ORIGIN);
});

test('tus cors: every answer lets the page read where the upload is, refusals too', async () => {
  const call = tusAs(server);
  const created = await post(call, { 'upload-length': '5', origin: ORIGIN });
  const refused = await patch(call, pathOf(created), 3, Buffer.from('x'), { origin: ORIGIN });
  const head = await call('HEAD', pathOf(created), { headers: { origin: ORIGIN } });
  assert.deepEqual([created.status, refused.status, head.status], [201, 409, 200]);
  for (const { headers } of [created, refused, head]) {
    assert.equal(headers['access-control-allow-origin'], ORIGIN);
    const exposed = namesIn(headers['access-control-expose-headers']);
    for (const name of namesIn(READ)) assert.ok(exposed.has(name), name);
  }
});
