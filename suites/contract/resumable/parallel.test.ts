/** Appends in parallel: draft-spk-httpbis-parallel-upload-00, behind CRYOLIFT_PARALLEL_APPENDS. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { MIN_PART_BYTES, startServer } from '../../server-under-test.ts';
import { digestHeader, flipBit, makeMrc, shuffle } from '../sample.ts';
import { Connection, printHead } from '../wire.ts';
import {
  assertProblem,
  assertPublished,
  type Headers,
  KEEPS_CUT_PARTS,
  PARTIAL_UPLOAD,
  pathOf,
  type Send,
  sendAs,
} from './client.ts';

const PART = MIN_PART_BYTES;
const server = await startServer({ CRYOLIFT_PARALLEL_APPENDS: 'true', CRYOLIFT_PART_SIZE: `${PART}b` });
const without = await startServer();
after(async () => {
  await server.discard();
  await without.discard();
});

const CREATION = { 'upload-complete': '?0', 'upload-parallel': '?1' };

async function start(send: Send, lengthBytes: number): Promise<string> {
  const headers = { ...CREATION, 'upload-length': String(lengthBytes) };
  const { final } = await send('POST', '/resumable/movie.mrc', headers);
  assert.equal(final.status, 201, final.body.toString());
  assert.match(final.headers['upload-limit'] ?? '', /\bmax-parallel=32\b/);
  assert.match(final.headers['upload-limit'] ?? '', new RegExp(`\\breorder-window=${lengthBytes}\\b`));
  assert.match(final.headers['upload-limit'] ?? '', new RegExp(`\\bappend-alignment=${PART}, commit=explicit$`));
  return pathOf(final.headers.location);
}

function appendAt(offset: number, more: Headers = {}): Headers {
  return { 'content-type': PARTIAL_UPLOAD, 'upload-offset': String(offset), 'upload-complete': '?0', ...more };
}

const commitAt = (lengthBytes: number) => appendAt(lengthBytes, { 'upload-complete': '?1' });

test('parallel appends: ranges in any order and at once make the file', async () => {
  const bytes = makeMrc(9 * PART + 1_500);
  const send = sendAs(server, 8);
  const path = await start(send, bytes.length);
  // Of one, two and three parts.
  const borders = [0, 1, 3, 6, 7, 9].map((part) => part * PART);
  const ranges = borders.map((from, at) => [from, borders[at + 1] ?? bytes.length] as const);
  const answers = await Promise.all(
    shuffle(ranges).map(async ([from, to]) => await send('PATCH', path, appendAt(from), bytes.subarray(from, to))),
  );
  for (const { final } of answers) assert.equal(final.status, 204, final.body.toString());
  const { final } = await send('PATCH', path, commitAt(bytes.length));
  assert.equal(final.headers['upload-complete'], '?1');
  await assertPublished(send, { final, interim: [] }, bytes);
});

test('parallel appends: Upload-Received has the ranges that are there', async () => {
  const bytes = makeMrc(5 * PART);
  const send = sendAs(server, 8);
  const path = await start(send, bytes.length);
  const received = async () => {
    const { final } = await send('HEAD', path);
    assert.equal(final.status, 204);
    return [final.headers['upload-offset'], final.headers['upload-received']];
  };
  assert.deepEqual(await received(), ['0', '']);
  await send('PATCH', path, appendAt(3 * PART), bytes.subarray(3 * PART, 4 * PART));
  assert.deepEqual(await received(), ['0', `(${3 * PART} ${4 * PART})`]);
  const { final } = await send('PATCH', path, appendAt(0), bytes.subarray(0, 2 * PART));
  assert.equal(final.headers['upload-offset'], String(2 * PART));
  assert.equal(final.headers['upload-received'], `(0 ${2 * PART}), (${3 * PART} ${4 * PART})`);
  await send('PATCH', path, appendAt(2 * PART), bytes.subarray(2 * PART, 3 * PART));
  assert.deepEqual(await received(), [String(4 * PART), `(0 ${4 * PART})`]);
  const early = await send('PATCH', path, commitAt(bytes.length));
  assertProblem(early.final, 409, 'upload_incomplete', 'incomplete-ranges');
  assert.equal(early.final.headers['upload-received'], `(0 ${4 * PART})`);
});

test('parallel appends: what the limits do not allow is refused', async () => {
  const bytes = makeMrc(3 * PART + 10);
  const send = sendAs(server, 8);
  const path = await start(send, bytes.length);
  const refuse = async (headers: Headers, body: Uint8Array) => (await send('PATCH', path, headers, body)).final;
  const misaligned = [appendAt(1), appendAt(PART - 1), appendAt(0)];
  for (const headers of misaligned) {
    const members = assertProblem(
      await refuse(headers, bytes.subarray(0, PART - 1)),
      400,
      'part_size_mismatch',
      'misaligned-append',
    );
    assert.equal(members['append-alignment'], PART);
  }
  const outside = await refuse(appendAt(3 * PART), bytes.subarray(0, 11));
  assertProblem(outside, 409, 'offset_mismatch', 'offset-outside-window');
  assert.equal(outside.headers['upload-offset'], '0');
  const withBody = { 'upload-complete': '?1' };
  assertProblem(await refuse(appendAt(3 * PART, withBody), bytes.subarray(3 * PART)), 400, 'invalid_request');
  assertProblem(await refuse(appendAt(PART, withBody), new Uint8Array()), 400, 'invalid_request');
  const chunked = appendAt(0, { 'transfer-encoding': 'chunked' });
  assertProblem(await refuse(chunked, Buffer.from('0\r\n\r\n')), 411, 'length_required');
  const { final } = await send('HEAD', path);
  assert.equal(final.headers['upload-received'], '');
});

test('parallel appends: a repeated range is no conflict, and other bytes are', async () => {
  const bytes = makeMrc(3 * PART);
  const send = sendAs(server, 8);
  const path = await start(send, bytes.length);
  for (let time = 0; time < 2; time++) {
    const { final } = await send('PATCH', path, appendAt(PART), bytes.subarray(PART, 2 * PART));
    assert.equal(final.status, 204);
  }
  const other = await send('PATCH', path, appendAt(PART), flipBit(bytes.subarray(PART, 2 * PART), 77));
  assertProblem(other.final, 409, 'part_conflict', 'range-conflict');
  const { final } = await send('PATCH', path, appendAt(0), bytes);
  assert.equal(final.status, 204, 'the part in the middle is compared, the others are written');
  const done = await send('PATCH', path, commitAt(bytes.length));
  await assertPublished(send, done, bytes);
});

test('parallel appends: a digest of several parts is checked before one of them counts', async () => {
  const bytes = makeMrc(4 * PART);
  const send = sendAs(server, 8);
  const path = await start(send, bytes.length);
  const wrong = appendAt(0, { 'content-digest': digestHeader(bytes) });
  const refused = await send('PATCH', path, wrong, bytes.subarray(0, 3 * PART));
  assertProblem(refused.final, 422, 'part_checksum_mismatch');
  assert.equal((await send('HEAD', path)).final.headers['upload-received'], '');
  const right = appendAt(0, { 'content-digest': digestHeader(bytes) });
  assert.equal((await send('PATCH', path, right, bytes)).final.headers['upload-offset'], String(bytes.length));
});

test('parallel appends: the whole parts of a cut append are kept, and no others', async () => {
  const bytes = makeMrc(4 * PART);
  const sub = 'cut-parallel';
  const send = sendAs(server, 8, { sub });
  const path = await start(send, bytes.length);
  const authorization = `Bearer ${server.token({ sub })}`;
  const cut = await Connection.open(server.url);
  cut.send(printHead('PATCH', path, appendAt(PART, { 'content-length': String(3 * PART), authorization })));
  await cut.sendUnread(bytes.subarray(PART, 3 * PART + 100));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const during = (await send('HEAD', path)).final.headers['upload-received'];
  assert.equal(during, `(${PART} ${3 * PART})`, 'HEAD ends no append in parallel mode');
  cut.close();
  const newer = await send('PATCH', path, appendAt(3 * PART), bytes.subarray(3 * PART));
  assert.equal(newer.final.status, 204, newer.final.body.toString());
  await send('PATCH', path, appendAt(0), bytes.subarray(0, PART));
  const done = await send('PATCH', path, commitAt(bytes.length));
  await assertPublished(send, done, bytes);
});

test('parallel appends: a newer append of the same range ends the older one', async () => {
  const bytes = makeMrc(2 * PART);
  const sub = 'newer';
  const send = sendAs(server, 8, { sub });
  const path = await start(send, bytes.length);
  const authorization = `Bearer ${server.token({ sub })}`;
  const older = await Connection.open(server.url);
  older.send(printHead('PATCH', path, appendAt(0, { 'content-length': String(PART), authorization })));
  await older.sendUnread(bytes.subarray(0, PART - 10));
  await new Promise((resolve) => setTimeout(resolve, 200));
  const newer = await send('PATCH', path, appendAt(0), bytes);
  assert.equal(newer.final.status, 204);
  older.send(bytes.subarray(PART - 10, PART));
  assertProblem(await older.answer('PATCH'), 409, 'offset_mismatch');
  older.close();
  const done = await send('PATCH', path, commitAt(bytes.length));
  await assertPublished(send, done, bytes);
});

test('parallel appends: what was acknowledged stands after a kill -9', async (t) => {
  const own = await startServer({ CRYOLIFT_PARALLEL_APPENDS: 'true', CRYOLIFT_PART_SIZE: `${PART}b` });
  t.after(() => own.discard());
  const bytes = makeMrc(4 * PART);
  const send = sendAs(own, 8);
  const path = await start(send, bytes.length);
  const { final } = await send('PATCH', path, appendAt(2 * PART), bytes.subarray(2 * PART));
  assert.equal(final.status, 204);
  await own.kill9();
  await own.restart();
  const received = (await send('HEAD', path)).final.headers['upload-received'];
  assert.equal(received, `(${2 * PART} ${4 * PART})`);
  await send('PATCH', path, appendAt(0), bytes.subarray(0, 2 * PART));
  await assertPublished(send, await send('PATCH', path, commitAt(bytes.length)), bytes);
});

const tooLarge = KEEPS_CUT_PARTS ? false : 'it needs 40 parts, which have 5 MiB in a bucket';
test('parallel appends: more than max-parallel at once are refused', { skip: tooLarge }, async () => {
  const bytes = makeMrc(40 * PART);
  const sub = 'many';
  const send = sendAs(server, 8, { sub });
  const path = await start(send, bytes.length);
  const authorization = `Bearer ${server.token({ sub })}`;
  const open: Connection[] = [];
  for (let idx = 0; idx < 32; idx++) {
    const connection = await Connection.open(server.url);
    open.push(connection);
    connection.send(printHead('PATCH', path, appendAt(idx * PART, { 'content-length': String(PART), authorization })));
    connection.send(bytes.subarray(idx * PART, idx * PART + 10));
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
  const { final } = await send('PATCH', path, appendAt(33 * PART), bytes.subarray(33 * PART, 34 * PART));
  const members = assertProblem(final, 429, 'rate_limited', 'too-many-parallel');
  assert.equal(members['max-parallel'], 32);
  assert.match(final.headers['retry-after'] ?? '', /^\d+$/);
  for (const [idx, connection] of open.entries()) {
    connection.send(bytes.subarray(idx * PART + 10, (idx + 1) * PART));
    assert.equal((await connection.answer('PATCH')).status, 204);
    connection.close();
  }
  assert.equal((await send('PATCH', path, appendAt(32 * PART), bytes.subarray(32 * PART))).final.status, 204);
});

test('parallel appends: without the setting, a length or an empty start the upload is sequential', async () => {
  const cases = [
    [without, { 'upload-length': '5000' }, new Uint8Array()],
    [server, {}, new Uint8Array()],
    [server, { 'upload-length': '5000' }, makeMrc(2_000)],
  ] as const;
  for (const [target, headers, body] of cases) {
    const { final } = await sendAs(target, 8)('POST', '/resumable/a.mrc', { ...CREATION, ...headers }, body);
    assert.equal(final.status, 201);
    assert.doesNotMatch(final.headers['upload-limit'] ?? '', /max-parallel|reorder-window/);
    assert.equal(final.headers['upload-received'], undefined);
  }
});
