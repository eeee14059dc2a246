/** SIGTERM: what is under way is finished, nothing new is taken, and the exit code is 0. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PartReceipt } from '@cryolift/protocol/messages';
import { type OwnServer, startServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { cutPart, eventually, openSample, PART_BYTES, partPath, readUploadRecord } from '../upload.ts';
import { Connection, callAs, printHead } from '../wire.ts';

/** Waits until the server takes no new connections. */
async function refusesConnections(server: OwnServer): Promise<void> {
  const tryOpen = async () => {
    try {
      (await Connection.open(server.url)).close();
      return false;
    } catch {
      return true;
    }
  };
  await eventually(tryOpen, (refused) => refused);
}

test('graceful: a slow part is finished and acknowledged, and is there after the restart', async () => {
  const server = await startServer();
  const sub = 'patient';
  const call = callAs(server, { sub });
  const headers = { authorization: `Bearer ${server.token({ sub })}` };
  const { upload, bytes } = await openSample(call);
  const part = cutPart(bytes, upload, 1);
  const idle = await Connection.open(server.url);
  assert.equal((await idle.exchange('GET', '/healthz')).status, 200);
  const unusual = await Connection.open(server.url);
  const chunked = await unusual.exchange('POST', '/nowhere', {
    headers: { 'transfer-encoding': 'chunked' },
    body: '0\r\n\r\n',
  });
  assert.equal(chunked.status, 404);
  const started = await Connection.open(server.url);
  started.send('GET /uploads HTTP/1.1\r\nHost: x\r\n');
  const slow = await Connection.open(server.url);
  slow.send(
    printHead('PUT', partPath(upload, 1), {
      ...headers,
      'content-length': String(PART_BYTES),
      expect: '100-continue',
    }),
  );
  assert.equal((await slow.answer()).status, 100);
  slow.send(part.subarray(0, PART_BYTES / 2));

  const exit = server.stop();
  await refusesConnections(server);
  assert.equal(await idle.closed(), 'ended', 'nobody is kept waiting on a connection without a request');
  assert.equal(await unusual.closed(), 'ended');
  started.send(`Authorization: ${headers.authorization}\r\n\r\n`);
  assertFailure(await started.answer(), 'shutting_down');
  started.close();
  slow.send(part.subarray(PART_BYTES / 2));
  const answer = await slow.answer();
  assert.equal(answer.status, 201);
  assert.equal(answer.json<PartReceipt>().received_parts, 1);
  assert.equal(await exit, 0);
  slow.close();

  await server.restart();
  assert.deepEqual((await readUploadRecord(call, upload)).missing_parts, [
    [0, 0],
    [2, 3],
  ]);
  await server.discard();
});

test('graceful: an idle server stops at once, with kept connections open', async () => {
  const server = await startServer();
  const kept = await Connection.open(server.url);
  await kept.exchange('GET', '/healthz');
  assert.equal(await server.stop(), 0);
  assert.equal(await kept.closed(), 'ended');
});
