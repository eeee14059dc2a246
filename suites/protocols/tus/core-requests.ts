/** Core protocol, "HEAD" and "PATCH". */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { bytesOf, section, type TusCheck } from './tus-check.ts';
import { OFFSET_TYPE } from './tus-server.ts';

const { must, should } = section('core');
/** Long enough for a server to see that a connection ended. */
const NOTICED_MS = 60_000;

export const CORE_REQUESTS: readonly TusCheck[] = [
  must('head-offset-at-0', 'HEAD has Upload-Offset, also when it is 0', async (calls) => {
    const { headers } = await calls.head(await calls.create({ 'upload-length': '10' }));
    assert.equal(headers['upload-offset'], '0');
  }),
  must('head-offset-within', 'HEAD has the offset of an upload that is not finished', async (calls) => {
    const url = await calls.create({ 'upload-length': '10' });
    await calls.patch(url, 0, bytesOf(4));
    assert.equal((await calls.head(url)).headers['upload-offset'], '4');
  }),
  must('head-offset-at-end', 'HEAD has Upload-Offset, also when the upload is complete', async (calls) => {
    const { headers } = await calls.head(await calls.createWith(bytesOf(10)));
    assert.equal(headers['upload-offset'], '10');
  }),
  must('head-length', 'HEAD has Upload-Length when the size is known', async (calls) => {
    const { headers } = await calls.head(await calls.create({ 'upload-length': '10' }));
    assert.equal(headers['upload-length'], '10');
  }),
  must('head-no-store', 'HEAD has Cache-Control: no-store', async (calls) => {
    const { headers } = await calls.head(await calls.create({ 'upload-length': '10' }));
    assert.match(headers['cache-control'] ?? '', /\bno-store\b/);
  }),
  should('head-missing', 'HEAD of nothing is answered 404, 410 or 403 without Upload-Offset', async (calls) => {
    const { status, headers } = await calls.head(calls.missingUrl);
    assert.ok([403, 404, 410].includes(status), `it was answered ${status}`);
    assert.equal(headers['upload-offset'], undefined);
  }),
  should('patch-applies', 'PATCH stores the bytes at the offset', async (calls, server) => {
    const body = bytesOf(70_000);
    const url = await calls.create({ 'upload-length': String(body.length) });
    await calls.patch(url, 0, body.subarray(0, 12_345));
    await calls.patch(url, 12_345, body.subarray(12_345));
    assert.ok(body.equals(await server.read(url)), 'other bytes were stored');
  }),
  should('patch-chunked', 'PATCH is accepted without Content-Length, too', async (calls, server) => {
    const body = bytesOf(10_000);
    const url = await calls.create({ 'upload-length': String(body.length) });
    const { status } = await calls.patch(url, 0, body, {}, { chunked: true });
    assert.equal(status, 204, `it was answered ${status}`);
    assert.ok(body.equals(await server.read(url)), 'other bytes were stored');
  }),
  should('patch-type', 'PATCH of another Content-Type is answered 415', async (calls) => {
    const url = await calls.create({ 'upload-length': '10' });
    for (const type of ['application/octet-stream', 'text/plain']) {
      const { status } = await calls.patch(url, 0, bytesOf(10), { 'content-type': type });
      assert.equal(status, 415, `${type} was answered ${status}`);
    }
  }),
  must('patch-conflict-before', 'PATCH before the offset is answered 409', async (calls) => {
    const url = await calls.create({ 'upload-length': '10' });
    await calls.patch(url, 0, bytesOf(4));
    const { status } = await calls.patch(url, 2, bytesOf(8));
    assert.equal(status, 409, `it was answered ${status}`);
  }),
  must('patch-conflict-after', 'PATCH beyond the offset is answered 409', async (calls) => {
    const url = await calls.create({ 'upload-length': '10' });
    const { status } = await calls.patch(url, 6, bytesOf(4));
    assert.equal(status, 409, `it was answered ${status}`);
  }),
  must('patch-conflict-unchanged', 'a PATCH in conflict changes nothing', async (calls, server) => {
    const body = bytesOf(10);
    const url = await calls.create({ 'upload-length': '10' });
    await calls.patch(url, 0, body.subarray(0, 4));
    await calls.patch(url, 2, bytesOf(8, 9));
    await calls.patch(url, 6, bytesOf(4, 9));
    assert.equal(await calls.offsetOf(url), 4);
    await calls.patch(url, 4, body.subarray(4));
    assert.ok(body.equals(await server.read(url)), 'other bytes were stored');
  }),
  must('patch-acknowledged', 'a successful PATCH is answered 204', async (calls) => {
    const { status } = await calls.patch(await calls.create({ 'upload-length': '10' }), 0, bytesOf(4));
    assert.equal(status, 204, `it was answered ${status}`);
  }),
  must('patch-offset', 'the answer has the new Upload-Offset', async (calls) => {
    const { headers } = await calls.patch(await calls.create({ 'upload-length': '10' }), 0, bytesOf(4));
    assert.equal(headers['upload-offset'], '4');
  }),
  must('patch-offset-sum', 'the new offset is the old one and the bytes received', async (calls) => {
    const url = await calls.create({ 'upload-length': '10' });
    for (const [offset, length] of [
      [0, 3],
      [3, 0],
      [3, 7],
    ] as const) {
      const { headers } = await calls.patch(url, offset, bytesOf(length));
      assert.equal(headers['upload-offset'], String(offset + length));
    }
  }),
  should('patch-missing', 'PATCH of nothing is answered 404', async (calls) => {
    const { status } = await calls.patch(calls.missingUrl, 0, bytesOf(4));
    assert.equal(status, 404, `it was answered ${status}`);
  }),
  should('patch-cut-off', 'what arrived of a PATCH that was cut off is kept', async (calls, server) => {
    const body = bytesOf(500_000);
    const url = await calls.create({ 'upload-length': String(body.length) });
    const fields = { 'content-type': OFFSET_TYPE, 'upload-offset': '0' };
    const sent = await calls.sendPartly('PATCH', url, fields, body, 300_000);
    await sleep(200);
    sent.cut();
    let offset = 0;
    for (const deadline = Date.now() + NOTICED_MS; offset === 0 && Date.now() < deadline; await sleep(100)) {
      const { headers } = await calls.head(url);
      offset = Number(headers['upload-offset'] ?? 0);
    }
    assert.ok(offset > 0 && offset <= 300_000, `the offset is ${offset} after 300,000 bytes`);
    const { status } = await calls.patch(url, offset, body.subarray(offset));
    assert.equal(status, 204, `the rest was answered ${status}`);
    assert.ok(body.equals(await server.read(url)), 'other bytes were stored');
  }),
];
