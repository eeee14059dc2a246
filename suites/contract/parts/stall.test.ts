/** Clients that stall in the middle of a body, and clients that are only slow. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { cutPart, initRequest, keepsUpload, openSample, PART_BYTES, partPath, put } from '../upload.ts';
import { Connection, callAs, printHead } from '../wire.ts';

const server = await startServer({ CRYOLIFT_BODY_IDLE_TIMEOUT: '4s' });
after(() => server.discard());
const sub = 'stalls';
const call = callAs(server, { sub });
const authorization = `Bearer ${server.token({ sub })}`;

// Invariant 7
test('stall: a part whose body stalls is refused, leaves the upload as it was, and can be sent again', async () => {
  const { upload, bytes } = await openSample(call);
  const head = printHead('PUT', partPath(upload, 1), { authorization, 'content-length': String(PART_BYTES) });
  await keepsUpload(call, upload, async () => {
    for (const sentBytes of [0, 1, PART_BYTES - 1]) {
      const connection = await Connection.open(server.url);
      connection.send(head);
      connection.send(cutPart(bytes, upload, 1).subarray(0, sentBytes));
      const answer = await connection.answer();
      assertFailure(answer, 'body_timeout');
      assert.match(answer.headers.connection ?? '', /\bclose\b/i);
      await connection.closed();
      connection.close();
    }
  });
  assert.equal((await put(call, upload, 1, bytes)).status, 201);
});

test('stall: a part that is slow but keeps coming is stored, however long it takes', async () => {
  const { upload, bytes } = await openSample(call);
  const part = cutPart(bytes, upload, 1);
  const connection = await Connection.open(server.url);
  connection.send(printHead('PUT', partPath(upload, 1), { authorization, 'content-length': String(part.length) }));
  const pieces = 8;
  for (let piece = 0; piece < pieces; piece++) {
    await new Promise((resolve) => setTimeout(resolve, 700));
    connection.send(part.subarray((piece * part.length) / pieces, ((piece + 1) * part.length) / pieces));
  }
  assert.equal((await connection.answer()).status, 201);
  connection.close();
});

test('stall: a JSON body that stalls holds nothing for ever', async () => {
  const body = JSON.stringify(initRequest());
  const headers = { authorization, 'content-type': 'application/json', 'content-length': String(body.length) };
  const connection = await Connection.open(server.url);
  connection.send(printHead('POST', '/uploads/init', headers));
  connection.send(body.slice(0, 10));
  assertFailure(await connection.answer(), 'body_timeout');
  connection.close();
});
