/** Core protocol, "Headers" and "OPTIONS". */
import assert from 'node:assert/strict';
import { bytesOf, section, type TusCheck } from './tus-check.ts';
import { listOf, OFFSET_TYPE, VERSION } from './tus-server.ts';

const { must, should } = section('core');
const NOT_INTEGERS = ['-1', '1.5', 'abc', '0x10', '1e3', '99999999999999999999999999'];

export const CORE_HEADERS: readonly TusCheck[] = [
  must('offset-integer', 'Upload-Offset is a non-negative integer', async (calls) => {
    const url = await calls.create({ 'upload-length': '10' });
    for (const wrong of NOT_INTEGERS) {
      const { status } = await calls.patch(url, 0, bytesOf(10), { 'upload-offset': wrong });
      assert.ok(status >= 400 && status < 500, `PATCH with Upload-Offset ${wrong} was answered ${status}`);
    }
    assert.equal(await calls.offsetOf(url), 0, 'such a PATCH moved the offset');
  }),
  must('length-integer', 'Upload-Length is a non-negative integer', async (calls) => {
    for (const wrong of NOT_INTEGERS) {
      const { status } = await calls.post({ 'upload-length': wrong });
      assert.ok(status >= 400 && status < 500, `POST with Upload-Length ${wrong} was answered ${status}`);
    }
  }),
  must('version-list', 'Tus-Version is a comma-separated list of the versions', async (calls) => {
    const { headers } = await calls.options();
    for (const version of listOf(headers['tus-version'])) assert.match(version, /^\d+\.\d+\.\d+$/);
  }),
  must('resumable-in-answers', 'each answer has Tus-Resumable', async (calls) => {
    const created = await calls.post({ 'upload-length': '10' });
    const url = calls.locationOf(created);
    const answers = [created, await calls.head(url), await calls.patch(url, 0, bytesOf(10))];
    for (const { status, headers } of answers) {
      assert.equal(
        headers['tus-resumable'],
        VERSION,
        `an answer ${status} has Tus-Resumable ${headers['tus-resumable']}`,
      );
    }
  }),
  must('resumable-in-errors', 'each answer has Tus-Resumable, errors included', async (calls) => {
    const url = await calls.create({ 'upload-length': '10' });
    const answers = {
      'HEAD of nothing': await calls.head(calls.missingUrl),
      'PATCH at a wrong offset': await calls.patch(url, 5, bytesOf(5)),
      'PATCH of a wrong type': await calls.patch(url, 0, bytesOf(5), { 'content-type': 'text/plain' }),
      'POST without a length': await calls.post({}),
    };
    for (const [what, { status, headers }] of Object.entries(answers)) {
      assert.equal(headers['tus-resumable'], VERSION, `${what}, answered ${status}, has no Tus-Resumable`);
    }
  }),
  must('unsupported-version', 'another version is answered 412 with Tus-Version', async (calls) => {
    const url = await calls.create({ 'upload-length': '10' });
    const other = { 'tus-resumable': '0.2.2' };
    const answers = [await calls.post({ 'upload-length': '10', ...other }), await calls.send('HEAD', url, other)];
    for (const { status, headers } of [...answers, await calls.patch(url, 0, bytesOf(10), other)]) {
      assert.equal(status, 412, `it was answered ${status}`);
      assert.ok(headers['tus-version'], 'the answer has no Tus-Version');
    }
  }),
  must('unsupported-version-not-processed', 'a request of another version is not processed', async (calls) => {
    const url = await calls.create({ 'upload-length': '10' });
    await calls.patch(url, 0, bytesOf(10), { 'tus-resumable': '2.0.0' });
    assert.equal(await calls.offsetOf(url), 0, 'its PATCH moved the offset');
  }),
  must('extension-list', 'Tus-Extension is a comma-separated list, or absent', async (calls) => {
    const { headers } = await calls.options();
    if (headers['tus-extension'] === undefined) return;
    for (const name of listOf(headers['tus-extension'])) assert.match(name, /^[a-z0-9-]+$/);
  }),
  must('max-size-integer', 'Tus-Max-Size is a non-negative integer', async (calls) => {
    const { headers } = await calls.options();
    assert.match(headers['tus-max-size'] ?? '0', /^\d+$/);
  }),
  should('max-size-announced', 'a known hard limit is announced in Tus-Max-Size', async (calls) => {
    const { headers } = await calls.options();
    if (headers['tus-max-size'] !== undefined) return;
    const { status } = await calls.post({ 'upload-length': String(2 ** 50) });
    assert.equal(status, 201, `1 PiB was answered ${status}, and no limit is announced`);
  }),
  must('method-override-patch', 'X-HTTP-Method-Override: PATCH is the method', async (calls) => {
    const body = bytesOf(10);
    const url = await calls.create({ 'upload-length': '10' });
    const fields = { 'x-http-method-override': 'PATCH', 'content-type': OFFSET_TYPE, 'upload-offset': '0' };
    const { status } = await calls.send('POST', url, fields, { body });
    assert.equal(status, 204, `POST with the override was answered ${status}`);
    assert.equal(await calls.offsetOf(url), 10);
  }),
  must('method-override-head', 'X-HTTP-Method-Override: HEAD is the method', async (calls) => {
    const url = await calls.create({ 'upload-length': '10' });
    const { status, headers } = await calls.send('POST', url, { 'x-http-method-override': 'HEAD' });
    assert.ok(status === 200 || status === 204, `POST with the override was answered ${status}`);
    assert.equal(headers['upload-offset'], '0', 'the answer has no Upload-Offset');
  }),
  must('options-answer', 'OPTIONS is answered 200 or 204 with Tus-Version', async (calls) => {
    const { status, headers } = await calls.options();
    assert.ok(status === 200 || status === 204, `it was answered ${status}`);
    assert.ok(listOf(headers['tus-version']).includes(VERSION), `Tus-Version is ${headers['tus-version']}`);
  }),
  must('options-ignores-version', 'OPTIONS ignores Tus-Resumable', async (calls) => {
    const { status, headers } = await calls.options({ 'tus-resumable': '0.0.1' });
    assert.ok(status === 200 || status === 204, `it was answered ${status}`);
    assert.ok(headers['tus-version'], 'the answer has no Tus-Version');
  }),
];
