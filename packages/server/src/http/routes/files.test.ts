import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readConfig } from '../../config/config.ts';
import { makeFolder } from '../../db/test-rows.ts';
import { createLogger } from '../../ops/log.ts';
import { startServer } from '../../server.ts';

const SECRET = 'a shared secret of 32 bytes or more';
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

function sign(claims: object): string {
  const signed = `${encode({ alg: 'HS256' })}.${encode(claims)}`;
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
}

/** A running server with one published file of the bytes 0 to 255. */
async function serveFile(t: TestContext, filename: string) {
  const folder = await makeFolder(t);
  const config = readConfig(
    { CRYOLIFT_DATA_DIR: join(folder, 'data'), CRYOLIFT_JWT_SECRET: SECRET },
    { port: '0', accept: '.bin' },
  );
  const server = await startServer(config, createLogger('silent'));
  t.after(() => server.stop(1000));
  const token = sign({ sub: 'ada', scope: 'uploads:write files:read files:delete' });
  const call = async (path: string, init: RequestInit = {}) =>
    await fetch(`${server.url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${token}`, connection: 'close', ...init.headers },
    });
  const post = async (path: string, body: object) =>
    (await (
      await call(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    ).json()) as Record<string, string>;
  const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
  const { upload_id } = await post('/uploads/init', { filename, size: bytes.length });
  await call(`/uploads/${upload_id}/part/0`, { method: 'PUT', body: bytes });
  const file = await post(`/uploads/${upload_id}/complete`, {});
  return { call, bytes, file, path: `/files/${file.file_id}/content` };
}

test('file content: any file name is sent', async (t) => {
  const { call, path } = await serveFile(t, `µ "gra%ph"';*().bin`);
  const disposition = (await call(path, { method: 'HEAD' })).headers.get('content-disposition') ?? '';
  const match = /^attachment; filename="([\x20-\x7e]*)"; filename\*=UTF-8''([\w!#$&+.^`|~%-]+)$/.exec(disposition);
  assert.ok(match, disposition);
  assert.doesNotMatch(match[1] as string, /["\\%]/);
  assert.equal(decodeURIComponent(match[2] as string), `µ "gra%ph"';*().bin`);
});

test('file content: it is sent whole, in ranges, or not modified', async (t) => {
  const { call, path, bytes, file } = await serveFile(t, 'a.bin');
  const whole = await call(path);
  assert.deepEqual([whole.status, whole.headers.get('content-length')], [200, '256']);
  assert.deepEqual(new Uint8Array(await whole.arrayBuffer()), bytes);
  const etag = whole.headers.get('etag') ?? '';
  assert.equal(etag, `"${file.sha256}"`);
  const digest = Buffer.from(file.sha256 as string, 'hex').toString('base64');
  assert.equal(whole.headers.get('repr-digest'), `sha-256=:${digest}:`);

  const part = await call(path, { headers: { range: 'bytes=250-', 'if-range': etag } });
  assert.deepEqual([part.status, part.headers.get('content-range')], [206, 'bytes 250-255/256']);
  assert.deepEqual(new Uint8Array(await part.arrayBuffer()), bytes.subarray(250));

  const outside = await call(path, { headers: { range: 'bytes=256-' } });
  assert.deepEqual([outside.status, outside.headers.get('content-range')], [416, 'bytes */256']);
  assert.equal(((await outside.json()) as { code: string }).code, 'range_not_satisfiable');

  const again = await call(path, { headers: { 'if-none-match': etag } });
  assert.deepEqual([again.status, await again.text()], [304, '']);
});

test('file content: a range is used for GET only (RFC 9110 section 14.2)', async (t) => {
  const { call, path } = await serveFile(t, 'a.bin');
  const head = await call(path, { method: 'HEAD', headers: { range: 'bytes=0-9' } });
  assert.deepEqual([head.status, head.headers.get('content-length')], [200, '256']);
});

test('file content: a deleted file is not found', async (t) => {
  const { call, path, file } = await serveFile(t, 'a.bin');
  assert.equal((await call(`/files/${file.file_id}`, { method: 'DELETE' })).status, 204);
  assert.equal((await call(path)).status, 404);
  assert.equal((await call(`/files/${file.file_id}`, { method: 'DELETE' })).status, 404);
});
