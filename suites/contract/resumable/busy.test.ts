/** HEAD while the server cannot answer: 423 with Retry-After, after which clients ask again and do not start anew. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from '../../server-under-test.ts';
import { makeMrc } from '../sample.ts';
import { Connection, printHead } from '../wire.ts';
import { assertProblem, PARTIAL_UPLOAD, pathOf, sendAs } from './client.ts';

test('resumable uploads: a caller with too many requests has to ask for the offset later', async (t) => {
  const server = await startServer({ CRYOLIFT_RATE_LIMIT: '2' });
  t.after(() => server.discard());
  const send = sendAs(server, 8);
  const { final } = await send('POST', '/resumable/a.mrc', { 'upload-complete': '?0' });
  const path = pathOf(final.headers.location);
  const heads = await Promise.all(Array.from({ length: 6 }, async () => await send('GET', path)));
  const refused = heads.filter(({ final: { status } }) => status !== 204);
  assert.ok(refused.length > 0);
  for (const { final: answer } of refused) {
    assertProblem(answer, 423, 'rate_limited');
    assert.match(answer.headers['retry-after'] ?? '', /^[1-9]\d*$/);
  }
});

test('resumable uploads: a server that stops answers HEAD with 423, and other requests with 503', async (t) => {
  const server = await startServer();
  t.after(() => server.discard());
  const sub = 'stops';
  const send = sendAs(server, 8, { sub });
  const { final } = await send('POST', '/resumable/a.mrc', { 'upload-complete': '?0', 'upload-length': '5000' });
  const path = pathOf(final.headers.location);
  const authorization = `Bearer ${server.token({ sub })}`;
  const bytes = makeMrc(5_000);
  const append = { authorization, 'content-type': PARTIAL_UPLOAD, 'upload-offset': '0', 'upload-complete': '?0' };
  const connections: { connection: Connection; method: string; expected: number }[] = [];
  for (const [method, expected] of [
    ['HEAD', 423],
    ['DELETE', 503],
  ] as const) {
    const connection = await Connection.open(server.url);
    // Each request behind an append that is under way when the server is stopped.
    const other = await send('POST', '/resumable/b.mrc', { 'upload-complete': '?0' });
    const running = pathOf(other.final.headers.location);
    connection.send(printHead('PATCH', running, { ...append, 'content-length': '5000' }));
    connection.send(bytes.subarray(0, 2_000));
    t.after(() => connection.close());
    connections.push({ connection, method, expected });
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
  const stopped = server.stop();
  await new Promise((resolve) => setTimeout(resolve, 200));
  for (const { connection, method, expected } of connections) {
    connection.send(bytes.subarray(2_000));
    connection.send(printHead(method, path, { authorization }));
    assert.equal((await connection.answer('PATCH')).status, 204);
    const answer = await connection.answer(method);
    assert.equal(answer.status, expected);
    assert.match(answer.headers['retry-after'] ?? '', /^[1-9]\d*$/);
  }
  await stopped;
});
