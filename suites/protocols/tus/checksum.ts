/** The extension "Checksum", with its trailers. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { bytesOf, section, type TusCheck } from './tus-check.ts';
import { listOf, OFFSET_TYPE } from './tus-server.ts';

const { must, should } = section('checksum', 'checksum');
const BODY = bytesOf(30_000);
const MISMATCH = 460;

/** The value of Upload-Checksum. */
export function checksum(algorithm: string, bytes: Uint8Array): string {
  return `${algorithm} ${digest(algorithm, bytes).toString('base64')}`;
}

function digest(algorithm: string, bytes: Uint8Array): Buffer {
  if (algorithm !== 'crc32') return createHash(algorithm).update(bytes).digest();
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(bytes));
  return sum;
}

const RIGHT = { 'upload-checksum': checksum('sha1', BODY) };
const WRONG = { 'upload-checksum': checksum('sha1', BODY.subarray(1)) };
const LENGTH = { 'upload-length': String(BODY.length) };

export const CHECKSUM: readonly TusCheck[] = [
  must('algorithms', 'OPTIONS has a list in Tus-Checksum-Algorithm', async (calls) => {
    const { headers } = await calls.options();
    for (const name of listOf(headers['tus-checksum-algorithm'])) assert.match(name, /^[!-+\--@[-~]+$/);
  }),
  must('sha1', 'sha1 is among them', async (calls) => {
    const { headers } = await calls.options();
    const { 'tus-checksum-algorithm': names = '' } = headers;
    assert.ok(listOf(names).includes('sha1'), `they are ${names}`);
  }),
  must('match', 'a right checksum is answered 204, by each algorithm that is named', async (calls) => {
    const { headers } = await calls.options();
    for (const name of listOf(headers['tus-checksum-algorithm'])) {
      const fields = { 'upload-checksum': checksum(name, BODY) };
      const { status } = await calls.patch(await calls.create(LENGTH), 0, BODY, fields);
      assert.equal(status, 204, `${name} was answered ${status}`);
    }
  }),
  must('verified', 'the bytes are verified, by each algorithm that is named', async (calls) => {
    const { headers } = await calls.options();
    for (const name of listOf(headers['tus-checksum-algorithm'])) {
      const fields = { 'upload-checksum': checksum(name, BODY.subarray(1)) };
      const { status } = await calls.patch(await calls.create(LENGTH), 0, BODY, fields);
      assert.ok(status >= 400 && status < 500, `a wrong ${name} was answered ${status}`);
    }
  }),
  should('mismatch-460', 'a mismatch is answered 460', async (calls) => {
    const { status } = await calls.patch(await calls.create(LENGTH), 0, BODY, WRONG);
    assert.equal(status, MISMATCH, `it was answered ${status}`);
  }),
  must('mismatch-discarded', 'after a mismatch the chunk is discarded and the offset stays', async (calls, server) => {
    const url = await calls.create(LENGTH);
    await calls.patch(url, 0, BODY.subarray(0, 10_000));
    await calls.patch(url, 10_000, bytesOf(20_000, 5), WRONG);
    assert.equal(await calls.offsetOf(url), 10_000);
    const rest = BODY.subarray(10_000);
    const { status } = await calls.patch(url, 10_000, rest, { 'upload-checksum': checksum('sha1', rest) });
    assert.equal(status, 204, `the right bytes were answered ${status}`);
    assert.ok(BODY.equals(await server.read(url)), 'other bytes were stored');
  }),
  must('mismatch-at-end', 'a chunk that mismatches does not finish an upload', async (calls) => {
    const url = await calls.create(LENGTH);
    await calls.patch(url, 0, BODY, WRONG);
    assert.equal(await calls.offsetOf(url), 0);
  }),
  should('unknown-400', 'an unknown algorithm is answered 400', async (calls) => {
    const url = await calls.create(LENGTH);
    const { status } = await calls.patch(url, 0, BODY, { 'upload-checksum': 'sha42 AAAA' });
    assert.equal(status, 400, `it was answered ${status}`);
  }),
  must('unknown-discarded', 'with an unknown algorithm the offset stays', async (calls) => {
    const url = await calls.create(LENGTH);
    await calls.patch(url, 0, BODY, { 'upload-checksum': 'sha42 AAAA' });
    assert.equal(await calls.offsetOf(url), 0);
  }),
  must('syntax', 'Upload-Checksum is a name and Base64, with a space', async (calls) => {
    const url = await calls.create(LENGTH);
    for (const wrong of ['sha1', 'sha1 ???', `sha1  ${'A'.repeat(28)}x`, 'sha1 AAAA']) {
      const { status } = await calls.patch(url, 0, BODY, { 'upload-checksum': wrong });
      assert.ok(status >= 400 && status < 500, `${wrong} was answered ${status}`);
    }
    assert.equal(await calls.offsetOf(url), 0);
  }),
  should('at-creation', 'a checksum counts for the body of a creation, too', async (calls) => {
    const type = { 'content-type': OFFSET_TYPE };
    const right = await calls.post({ ...LENGTH, ...type, ...RIGHT }, { body: BODY });
    assert.equal(right.status, 201, `a right one was answered ${right.status}`);
    const wrong = await calls.post({ ...LENGTH, ...type, ...WRONG }, { body: BODY });
    assert.ok(
      wrong.status >= 400 || wrong.headers['upload-offset'] === '0',
      `a wrong one was answered ${wrong.status}`,
    );
  }),
];

const trailer = section('trailer', 'checksum-trailer');

export const CHECKSUM_TRAILER: readonly TusCheck[] = [
  trailer.must('match', 'a right checksum in a trailer is answered 204', async (calls, server) => {
    const url = await calls.create(LENGTH);
    const { status } = await calls.patch(url, 0, BODY, {}, { chunked: true, trailers: RIGHT });
    assert.equal(status, 204, `it was answered ${status}`);
    assert.ok(BODY.equals(await server.read(url)), 'other bytes were stored');
  }),
  trailer.must('mismatch', 'after a wrong checksum in a trailer the offset stays', async (calls) => {
    const url = await calls.create(LENGTH);
    const { status } = await calls.patch(url, 0, BODY, {}, { chunked: true, trailers: WRONG });
    assert.ok(status >= 400 && status < 500, `it was answered ${status}`);
    assert.equal(await calls.offsetOf(url), 0);
  }),
  trailer.must('unknown', 'after an unknown algorithm in a trailer the offset stays', async (calls) => {
    const url = await calls.create(LENGTH);
    const trailers = { 'upload-checksum': 'sha42 AAAA' };
    const { status } = await calls.patch(url, 0, BODY, {}, { chunked: true, trailers });
    assert.ok(status >= 400 && status < 500, `it was answered ${status}`);
    assert.equal(await calls.offsetOf(url), 0);
  }),
];
