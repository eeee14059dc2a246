/** What operators, monitors and browsers ask for, without a token. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { findServer, startServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { makeMrc } from '../sample.ts';
import { publish } from '../upload.ts';
import { callAs, callWith } from '../wire.ts';

const server = await findServer();
after(() => server.discard());
const anybody = callWith(server, {});

test('operations: health and readiness', async () => {
  for (const path of ['/healthz', '/readyz']) {
    const answer = await anybody('GET', path);
    assert.equal(answer.status, 200);
    assert.match(answer.headers['content-type'] ?? '', /^application\/json/);
    assert.equal((await anybody('HEAD', path)).status, 200);
  }
});

test('operations: metrics count what happens, and name no owner and no file', async () => {
  const call = callAs(server, { sub: 'an-owner-of-metrics' });
  const { file_id, upload_id } = await publish(call, makeMrc(2000), { filename: 'of-metrics.mrc' });
  const answer = await anybody('GET', '/metrics');
  assert.equal(answer.status, 200);
  assert.match(answer.headers['content-type'] ?? '', /^text\/plain|^application\/openmetrics-text/);
  const lines = answer.body
    .toString()
    .split('\n')
    .filter((line) => line !== '');
  for (const line of lines) assert.match(line, /^#|^[a-zA-Z_:][\w:]*(\{.*\})? \S+( \d+)?$/);
  assert.ok(lines.some((line) => line.startsWith('cryolift_')));
  for (const secret of ['of-metrics', file_id, upload_id])
    assert.ok(!lines.some((line) => line.includes(secret)), secret);
});

test('operations: metrics can be closed by a setting', async () => {
  const closed = await startServer({ CRYOLIFT_METRICS: 'false' });
  assertFailure(await callWith(closed, {})('GET', '/metrics'), 'not_found', 'forbidden');
  await closed.discard();
});

test('operations: the OpenAPI document and a page that shows it', async () => {
  const answer = await anybody('GET', '/openapi.json');
  assert.match(answer.json<{ openapi: string }>().openapi, /^3\.1\./);
  let page = await anybody('GET', '/docs');
  if (page.status >= 301 && page.status <= 308)
    page = await anybody('GET', new URL(page.headers.location ?? '', 'http://x/docs').pathname);
  assert.equal(page.status, 200);
  assert.match(page.headers['content-type'] ?? '', /^text\/html/);
  const [style = ''] = /[\w/.-]*swagger-ui\.css/.exec(page.body.toString()) ?? [];
  const { pathname } = new URL(style, `${server.url}/docs`);
  const { status, headers } = await anybody('GET', pathname);
  assert.equal(status, 200, pathname);
  const again = await anybody('GET', pathname, { headers: { 'if-none-match': headers.etag ?? '' } });
  assert.equal(again.status, 304);
  assertFailure(await anybody('GET', '/docs/static/nothing.js'), 'not_found');
});

test('operations: the web page', async () => {
  const answer = await anybody('GET', '/');
  assert.equal(answer.status, 200);
  assert.match(answer.headers['content-type'] ?? '', /^text\/html/);
  assert.match(answer.body.toString(), /^<!doctype html>/i);
  for (const [, path = ''] of answer.body.toString().matchAll(/(?:src|href)="(\/[^"]*)"/g)) {
    assert.equal((await anybody('GET', path)).status, 200, path);
  }
});

test('the web page: a condition that does not hold and a range outside it are refused, not a fault', async () => {
  const conditions = [
    [{ 'if-match': '"another"' }, 'precondition_failed'],
    [{ 'if-unmodified-since': 'Thu, 01 Jan 1970 00:00:00 GMT' }, 'precondition_failed'],
    [{ range: 'bytes=99999999-' }, 'range_not_satisfiable'],
  ] as const;
  for (const [headers, code] of conditions) assertFailure(await anybody('GET', '/', { headers }), code);
});

test("operations: every answer has a request id: the client's own when it is sane", async () => {
  const call = callAs(server);
  const own = { 'x-request-id': 'run-7.part_12:a' };
  for (const path of ['/uploads', '/healthz', '/', '/nowhere', '/metrics', '/openapi.json']) {
    assert.equal((await call('GET', path, { headers: own })).headers['x-request-id'], own['x-request-id'], path);
    const first = (await call('GET', path)).headers['x-request-id'] ?? '';
    assert.match(first, /^[\w.:-]{8,}$/, path);
    assert.notEqual((await call('GET', path)).headers['x-request-id'], first);
  }
  for (const insane of ['x'.repeat(5000), 'a b', '<script>', '"', 'ü', '']) {
    const answer = await call('GET', '/healthz', { headers: { 'x-request-id': insane } });
    assert.match(answer.headers['x-request-id'] ?? '', /^[\w.:-]{8,200}$/);
  }
});

test('operations: no answer to a bearer request is cacheable', async () => {
  const call = callAs(server);
  const { file_id } = await publish(call, makeMrc(2000));
  for (const path of ['/uploads', '/files', `/files/${file_id}`, `/files/${file_id}/content`, '/limits', '/healthz']) {
    assert.match((await call('GET', path)).headers['cache-control'] ?? '', /\bno-store\b/, path);
  }
  const range = await call('GET', `/files/${file_id}/content`, { headers: { range: 'bytes=0-9' } });
  assert.match(range.headers['cache-control'] ?? '', /\bno-store\b/);
});
