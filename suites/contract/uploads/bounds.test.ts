/** What one owner may have: bytes, and requests per second. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UploadRecord } from '@cryolift/protocol/messages';
import { startServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { makeMrc } from '../sample.ts';
import { eventually, initRequest, open, publish, readUploadRecord } from '../upload.ts';
import { Connection, callAs, callWith } from '../wire.ts';

const KIB = 1024;

test('bounds: the quota counts files and what open uploads still may write', async () => {
  const server = await startServer({ CRYOLIFT_QUOTA_BYTES: '1MiB' });
  const call = callAs(server);
  const tryInit = (size: number) => call('POST', '/uploads/init', { json: initRequest({ size }) });

  const file = await publish(call, makeMrc(400 * KIB));
  const upload = await open(call, { size: 600 * KIB, fingerprint: 'f' });
  assertFailure(await tryInit(30 * KIB), 'quota_exceeded');
  assert.deepEqual(await readUploadRecord(call, upload), upload);
  assert.equal((await tryInit(24 * KIB)).status, 201, 'up to the last byte');
  const request = initRequest({ size: 600 * KIB, fingerprint: 'f' });
  const resumed = await call('POST', '/uploads/init', { json: request });
  assert.equal(resumed.json<UploadRecord>().upload_id, upload.upload_id, 'a resumed upload is counted once');
  assert.equal((await open(callAs(server), { size: 1024 * KIB })).status, 'pending', 'others have their own');

  assert.equal((await call('DELETE', `/uploads/${upload.upload_id}`)).status, 204);
  assertFailure(await tryInit(601 * KIB), 'quota_exceeded');
  assert.equal((await call('DELETE', `/files/${file.file_id}`)).status, 204);
  assert.equal((await tryInit(1000 * KIB)).status, 201);
  await server.discard();
});

test('bounds: no file larger than the quota is ever accepted', async () => {
  const server = await startServer({ CRYOLIFT_QUOTA_BYTES: '100KiB' });
  const answer = await callAs(server)('POST', '/uploads/init', { json: initRequest({ size: 100 * KIB + 1 }) });
  assertFailure(answer, 'quota_exceeded');
  await server.discard();
});

test('bounds: files and uploads count for their owner, empty ones, too, and what was cancelled until it is forgotten', async () => {
  const server = await startServer({ CRYOLIFT_QUOTA_FILES: '3', CRYOLIFT_ACCEPT: 'txt' });
  const call = callAs(server, { sub: 'ada' });
  const empty = () => publish(call, Buffer.alloc(0), { filename: 'empty.txt' });
  const first = await empty();
  await empty();
  const upload = await open(call);
  const tryInit = (other = call) => other('POST', '/uploads/init', { json: initRequest() });
  assertFailure(await tryInit(), 'quota_exceeded');
  assert.equal((await call('DELETE', `/uploads/${upload.upload_id}`)).status, 204);
  assertFailure(await tryInit(), 'quota_exceeded');
  const { token } = (await call('POST', '/links')).json<{ token: string }>();
  assertFailure(await tryInit(callWith(server, { authorization: `Bearer ${token}` })), 'quota_exceeded');
  assert.equal((await tryInit(callAs(server))).status, 201, 'others have their own');
  assert.equal((await call('DELETE', `/files/${first.file_id}`)).status, 204);
  assert.equal((await tryInit()).status, 201);
  await server.discard();
});

test('bounds: without a setting there is a rate limit', async () => {
  const server = await startServer();
  assert.equal((await callAs(server)('GET', '/uploads')).headers['ratelimit-limit'], '1000');
  assert.equal((await callWith(server, {})('GET', '/healthz')).headers['ratelimit-limit'], '1000');
  await server.discard();
});

test('rate limit: refused requests get Retry-After; other callers are not affected', async () => {
  const server = await startServer({ CRYOLIFT_RATE_LIMIT: '5' });
  const eager = callAs(server);
  const calm = callAs(server);
  const answers = await Promise.all(Array.from({ length: 20 }, () => eager('GET', '/uploads')));
  const refused = answers.filter(({ status }) => status !== 200);
  assert.ok(refused.length >= 5, `${refused.length} of 20 were refused`);
  for (const answer of refused) assertFailure(answer, 'rate_limited');
  for (const { headers } of answers) {
    assert.equal(headers['ratelimit-limit'], '5');
    assert.match(headers['ratelimit-remaining'] ?? '', /^[0-4]$/);
    assert.match(headers['ratelimit-reset'] ?? '', /^[01]$/);
  }
  assert.equal((await calm('GET', '/uploads')).status, 200);
  await eventually(
    () => eager('GET', '/uploads'),
    ({ status }) => status === 200,
  );
  assert.equal((await callWith(server, {})('GET', '/healthz')).status, 200);
  await server.discard();
});

test('connections: the number per address is limited; a closed connection frees a slot', async () => {
  const server = await startServer({ CRYOLIFT_CONNECTIONS_PER_ADDRESS: '10' });
  const open = await Promise.all(Array.from({ length: 10 }, () => Connection.open(server.url)));
  const further = await Connection.open(server.url);
  // The standard path cannot give a reason.
  const refused = await further.exchange('GET', '/healthz').catch(() => null);
  if (refused) assertFailure(refused, 'overloaded');
  assert.equal((await open[3]?.exchange('GET', '/healthz'))?.status, 200);
  for (const connection of open) connection.close();
  await eventually(
    () => callWith(server, {})('GET', '/healthz').catch(() => ({ status: 0 })),
    ({ status }) => status === 200,
  );
  await server.discard();
});

test('open uploads: the number per owner is limited; an ended upload frees a slot; others are not affected', async () => {
  const server = await startServer({ CRYOLIFT_MAX_OPEN_UPLOADS: '3' });
  const call = callAs(server);
  const uploads = await Promise.all(Array.from({ length: 3 }, () => open(call)));
  const init = { json: initRequest({ fingerprint: 'one more' }) };
  assertFailure(await call('POST', '/uploads/init', init), 'quota_exceeded');
  assert.equal((await callAs(server)('POST', '/uploads/init', init)).status, 201);
  await call('DELETE', `/uploads/${uploads[0]?.upload_id}`);
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => call('POST', '/uploads/init', { json: initRequest() })),
  );
  assert.equal(answers.filter(({ status }) => status === 201).length, 1, 'of several at once, one');
  await server.discard();
});
