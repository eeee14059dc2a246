/** Pages of other origins: those that are listed may call, and nothing else changes (Fetch standard, CORS). */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { callAs, callWith } from '../wire.ts';

const ORIGIN = 'https://portal.example.org';
const server = await startServer({ CRYOLIFT_CORS_ORIGINS: ORIGIN });
after(() => server.discard());
const call = callAs(server);
const ask = (origin: string) => ({ origin, 'access-control-request-method': 'PUT' });

test('cors: a preflight needs no token and names what a page may do', async () => {
  const answer = await callWith(server, ask(ORIGIN))('OPTIONS', '/uploads/x/part/0');
  assert.equal(answer.status, 204);
  assert.equal(answer.headers['access-control-allow-origin'], ORIGIN);
  assert.match(answer.headers['access-control-allow-methods'] ?? '', /\bPUT\b/);
});

test('cors: a preflight allows the headers of upload protocols, and those that it asks for', async () => {
  const asked = { ...ask(ORIGIN), 'access-control-request-headers': 'X-Own, Upload-Offset' };
  const { headers } = await callWith(server, asked)('OPTIONS', '/uploads/x/part/0');
  const allowed = (headers['access-control-allow-headers'] ?? '').split(', ');
  for (const name of ['authorization', 'content-type', 'tus-resumable', 'upload-offset', 'upload-complete', 'x-own']) {
    assert.equal(allowed.filter((each) => each === name).length, 1, name);
  }
});

test('cors: a page may read where an upload is and how far', async () => {
  const { headers } = await call('GET', '/files', { headers: { origin: ORIGIN } });
  const exposed = (headers['access-control-expose-headers'] ?? '').split(', ');
  for (const name of ['location', 'upload-offset', 'upload-expires', 'tus-extension', 'upload-limit', 'retry-after']) {
    assert.ok(exposed.includes(name), name);
  }
});

test('cors: OPTIONS that is no preflight is for the path', async () => {
  assertFailure(await call('OPTIONS', '/limits', { headers: { origin: ORIGIN } }), 'method_not_allowed');
});

test('cors: a listed origin reads the answers, another does not', async () => {
  const listed = await call('GET', '/files', { headers: { origin: ORIGIN } });
  assert.equal(listed.headers['access-control-allow-origin'], ORIGIN);
  assert.match(listed.headers['access-control-expose-headers'] ?? '', /\bx-request-id\b/);
  const other = await call('GET', '/files', { headers: { origin: 'https://evil.example' } });
  assert.equal(other.headers['access-control-allow-origin'], undefined);
});

test('cors: a listed origin reads why it is refused', async () => {
  const refused = await callWith(server, { origin: ORIGIN })('GET', '/files');
  assertFailure(refused, 'unauthenticated');
  assert.equal(refused.headers['access-control-allow-origin'], ORIGIN);
});

test('cors: paths and methods that are not there stay so', async () => {
  assertFailure(await call('PUT', '/nowhere'), 'not_found');
  assertFailure(await call('PUT', '/limits'), 'method_not_allowed');
});
