/** A token that expires while the body of a request is on its way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertFailure } from '../contract/failure.ts';
import { digestHeader } from '../contract/sample.ts';
import { create, OFFSET_TYPE, offsetOf, tusAs } from '../contract/tus/tus-client.ts';
import { complete, cutPart, openSample, partPath, put, putAll, readUploadRecord } from '../contract/upload.ts';
import { Connection, callAs, callWith, printHead } from '../contract/wire.ts';
import { startWithClock, whyNoMovedClock } from './moved-clock.ts';

const HOUR_S = 3_600;
const DAY_S = 86_400;

test('tokens: one that expires in the middle of a part: the part is stored, and the next request is refused', {
  skip: whyNoMovedClock ?? false,
  timeout: 240_000,
}, async (context) => {
  const { server, set } = await startWithClock(context, { CRYOLIFT_ACCEPT: 'bin' });
  const token = server.token({ sub: 'ada', ttlSeconds: HOUR_S });
  const authorization = `Bearer ${token}`;
  const call = callWith(server, { authorization });
  const { upload, bytes } = await openSample(call, 3);
  const tus = tusAs(server, { sub: 'ada', ttlSeconds: HOUR_S });
  const path = await create(tus, { 'upload-length': '8000' });

  const part = cutPart(bytes, upload, 1);
  const partHeaders = { 'content-length': String(part.length), 'content-digest': digestHeader(part) };
  const patchHeaders = { 'content-type': OFFSET_TYPE, 'upload-offset': '0', 'tus-resumable': '1.0.0' };
  const requests = [
    { head: printHead('PUT', partPath(upload, 1), { authorization, ...partHeaders }), body: part, status: 201 },
    {
      head: printHead('PATCH', path, { authorization, ...patchHeaders, 'content-length': '5000' }),
      body: Buffer.alloc(5000, 1),
      status: 204,
    },
  ];
  const begun = await Promise.all(
    requests.map(async ({ head, body, status }) => {
      const connection = await Connection.open(server.url);
      connection.send(head);
      connection.send(body.subarray(0, 2000));
      return { connection, rest: body.subarray(2000), status };
    }),
  );
  await new Promise((resolve) => setTimeout(resolve, 300));
  await set(1);
  for (const { connection, rest, status } of begun) {
    connection.send(rest);
    const answer = await connection.answer();
    assert.equal(answer.status, status, answer.body.toString());
    connection.close();
  }
  assertFailure(await put(call, upload, 2, bytes), 'token_expired');
  assertFailure(await call('POST', `/uploads/${upload.upload_id}/complete`), 'token_expired');

  // A client that has got a new one goes on.
  const renewed = callAs(server, { sub: 'ada', ttlSeconds: 2 * DAY_S });
  assert.deepEqual((await readUploadRecord(renewed, upload)).missing_parts, [
    [0, 0],
    [2, 2],
  ]);
  assert.equal(await offsetOf(tusAs(server, { sub: 'ada', ttlSeconds: 2 * DAY_S }), path), 5000);
  await putAll(renewed, upload, bytes);
  assert.equal((await complete(renewed, upload)).status, 200);
});
