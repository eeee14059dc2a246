/** tus clients begin again from the first byte when a HEAD is answered with anything but 2xx and 423. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startCluster, whyNoCluster } from '../../../packages/server/src/db/postgres/test-cluster.ts';
import { startServer } from '../../server-under-test.ts';
import { eventually } from '../upload.ts';
import { Connection, printHead } from '../wire.ts';
import { create, OFFSET_TYPE, offsetOf, patch, tusAs } from './tus-client.ts';

test('tus busy: more requests than a caller may make are answered 423, and go on later', async () => {
  const server = await startServer({ CRYOLIFT_ACCEPT: '*', CRYOLIFT_RATE_LIMIT: '2' });
  try {
    const call = tusAs(server);
    const path = await create(call, { 'upload-length': '10' });
    const answers = await Promise.all(Array.from({ length: 8 }, () => call('HEAD', path)));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))].sort(), [200, 423]);
    const locked = answers.find(({ status }) => status === 423);
    assert.match(locked?.headers['retry-after'] ?? '', /^[1-9]\d*$/);
    const patches = await Promise.all(Array.from({ length: 8 }, () => patch(call, path, 0, Buffer.from('x'))));
    for (const { status } of patches) assert.ok(status !== 429, String(status));
    assert.ok(patches.some(({ status }) => status === 423));
  } finally {
    await server.discard();
  }
});

test('tus busy: a server that stops answers 423, on every path of a request', async () => {
  const server = await startServer({ CRYOLIFT_ACCEPT: '*' });
  try {
    const sub = 'waiting';
    const path = await create(tusAs(server, { sub }), { 'upload-length': '10' });
    const headers = { authorization: `Bearer ${server.token({ sub })}`, 'tus-resumable': '1.0.0' };
    // Begun before the stop, so that the server waits for the rest of these heads.
    const begun = await Promise.all(
      ['HEAD', 'PATCH', 'POST'].map(async (method) => {
        const connection = await Connection.open(server.url);
        const target = method === 'POST' ? '/tus' : path;
        const rest = printHead(method, target, { ...headers, 'upload-offset': '0', 'content-length': '0' });
        connection.send(rest.slice(0, -2));
        return { method, connection };
      }),
    );
    const running = await create(tusAs(server, { sub }), { 'upload-length': '10' });
    const slow = await Connection.open(server.url);
    const type = { 'content-type': OFFSET_TYPE, 'upload-offset': '0', 'content-length': '10', expect: '100-continue' };
    slow.send(printHead('PATCH', running, { ...headers, ...type }));
    assert.equal((await slow.answer()).status, 100);
    slow.send('12345');
    const exit = server.stop();
    await refusesConnections(server.url);
    for (const { method, connection } of begun) {
      connection.send('\r\n');
      const answer = await connection.answer(method);
      assert.equal(answer.status, 423, method);
      assert.match(answer.headers['retry-after'] ?? '', /^[1-9]\d*$/);
      assert.equal(answer.headers['tus-resumable'], '1.0.0');
      connection.close();
    }
    slow.send('67890');
    assert.equal((await slow.answer('PATCH')).status, 204, 'what was under way is finished');
    slow.close();
    assert.equal(await exit, 0);
  } finally {
    await server.discard();
  }
});

test('tus busy: HEAD and PATCH are answered 423 while the database is away, and go on when it is back', {
  skip: whyNoCluster() ?? false,
}, async () => {
  const cluster = await startCluster();
  const server = await startServer({ CRYOLIFT_ACCEPT: '*', CRYOLIFT_DATABASE_URL: cluster.url });
  try {
    const call = tusAs(server);
    const path = await create(call, { 'upload-length': '10' });
    assert.equal((await patch(call, path, 0, Buffer.from('12345'))).status, 204);
    await cluster.kill();
    const head = await call('HEAD', path);
    assert.equal(head.status, 423);
    assert.match(head.headers['retry-after'] ?? '', /^[1-9]\d*$/);
    assert.equal((await patch(call, path, 5, Buffer.from('67890'))).status, 423);
    await cluster.start();
    await eventually(
      async () => (await call('HEAD', path)).status,
      (status) => status === 200,
    );
    assert.equal(await offsetOf(call, path), 5);
    assert.equal((await patch(call, path, 5, Buffer.from('67890'))).status, 204);
  } finally {
    await server.discard();
    await cluster.stop();
  }
});

async function refusesConnections(url: string): Promise<void> {
  for (;;) {
    const connection = await Connection.open(url).catch(() => null);
    if (!connection) return;
    connection.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
