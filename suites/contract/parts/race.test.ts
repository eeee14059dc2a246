/** Two clients with one part: one wins, the other gets an error, and neither waits for the other. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { FileRecord, StoredPartPage, UploadRecord } from '@cryolift/protocol/messages';
import { findServer } from '../../server-under-test.ts';
import { flipBit, sha256Hex } from '../sample.ts';
import { complete, cutPart, openSample, PART_BYTES, partPath, put, putBody } from '../upload.ts';
import { Connection, callAs, printHead } from '../wire.ts';

const server = await findServer();
after(() => server.discard());
const sub = 'races';
const call = callAs(server, { sub });
const authorization = `Bearer ${server.token({ sub })}`;

/** Begins to send a part, and has sent half of it. */
async function beginSlow(upload: UploadRecord, part: Buffer): Promise<Connection> {
  const connection = await Connection.open(server.url);
  const headers = { authorization, 'content-length': String(part.length), expect: '100-continue' };
  connection.send(printHead('PUT', partPath(upload, 1), headers));
  assert.equal((await connection.answer()).status, 100);
  connection.send(part.subarray(0, PART_BYTES / 2));
  return connection;
}

/** Completes the upload and asserts that its part 1 is this one, in the records and in the file. */
async function assertWon(upload: UploadRecord, bytes: Buffer, part: Buffer): Promise<void> {
  const { items } = (await call('GET', `/uploads/${upload.upload_id}/parts`)).json<StoredPartPage>();
  assert.deepEqual(
    items.map(({ part: idx, sha256 }) => [idx, sha256]),
    [[1, sha256Hex(part)]],
  );
  for (const idx of [0, 2, 3]) await put(call, upload, idx, bytes);
  const { file_id, sha256 } = (await complete(call, upload)).json<FileRecord>();
  const expected = Buffer.from(bytes);
  expected.set(part, PART_BYTES);
  const content = (await call('GET', `/files/${file_id}/content`)).body;
  assert.ok(content.equals(expected), 'the file has the bytes that were acknowledged');
  assert.equal(sha256, sha256Hex(expected));
}

for (const [what, changes] of [
  ['the same bytes', false],
  ['other bytes', true],
] as const) {
  test(`race: a fast client does not wait for a slow one that has ${what}`, async () => {
    const { upload, bytes } = await openSample(call);
    const part = cutPart(bytes, upload, 1);
    const slowPart = changes ? flipBit(part, PART_BYTES - 1) : part;
    const slow = await beginSlow(upload, slowPart);
    // The slow one sends nothing more until the fast one has its answer.
    assert.equal((await put(call, upload, 1, bytes)).status, 201);
    slow.send(slowPart.subarray(PART_BYTES / 2));
    const { status } = await slow.answer();
    assert.ok(changes ? status === 409 : status === 200 || status === 409, `the slow one got ${status}`);
    slow.close();
    await assertWon(upload, bytes, part);
  });
}

// Invariant 2
test('race: many clients at once with different bytes: one is stored, whole, and all are answered', async () => {
  for (let round = 0; round < 5; round++) {
    const { upload, bytes } = await openSample(call);
    const variants = Array.from({ length: 8 }, (_, at) => flipBit(cutPart(bytes, upload, 1), 1000 * at));
    const answers = await Promise.all(variants.map((part) => putBody(call, upload, 1, part)));
    const statuses = answers.map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 201).length, 1, statuses.join());
    assert.equal(statuses.filter((status) => status === 409).length, 7, statuses.join());
    await assertWon(upload, bytes, variants[statuses.indexOf(201)] as Buffer);
  }
});

test('race: many clients at once with the same bytes: all are content', async () => {
  const { upload, bytes } = await openSample(call);
  const statuses = (await Promise.all(Array.from({ length: 8 }, () => put(call, upload, 1, bytes)))).map(
    ({ status }) => status,
  );
  assert.equal(statuses.filter((status) => status === 201).length, 1, statuses.join());
  for (const status of statuses) assert.ok([200, 201, 409].includes(status), statuses.join());
  await assertWon(upload, bytes, cutPart(bytes, upload, 1));
});
