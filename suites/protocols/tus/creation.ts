/** The extension "Creation". */
import assert from 'node:assert/strict';
import { bytesOf, section, type TusCheck } from './tus-check.ts';
import { listOf } from './tus-server.ts';

const { must, should } = section('creation', 'creation');
const base64 = (text: string) => Buffer.from(text).toString('base64');
const NAME = `filename ${base64('grid.raw')}`;

/** In any order; the space before an empty value may be left out. */
const pairsOf = (metadata: string) =>
  metadata
    .split(',')
    .map((pair) => pair.trim())
    .sort();

export const CREATION: readonly TusCheck[] = [
  should('announced', 'the extension is offered, and named in Tus-Extension', async (calls) => {
    const { headers } = await calls.options();
    assert.ok(listOf(headers['tus-extension']).includes('creation'));
  }),
  must('created', 'a creation is answered 201', async (calls) => {
    const { status } = await calls.post({ 'upload-length': '10' });
    assert.equal(status, 201, `it was answered ${status}`);
  }),
  must('location', 'the answer has the URL of the upload in Location', async (calls) => {
    const url = await calls.create({ 'upload-length': '10' });
    assert.equal(await calls.offsetOf(url), 0);
  }),
  must('length-or-defer', 'a request has Upload-Length or Upload-Defer-Length', async (calls) => {
    const { status } = await calls.post({});
    assert.ok(status >= 400 && status < 500, `one without both was answered ${status}`);
  }),
  must('empty-upload', 'an upload can have no bytes', async (calls) => {
    const { headers } = await calls.head(await calls.create({ 'upload-length': '0' }));
    assert.equal(headers['upload-length'], '0');
    assert.equal(headers['upload-offset'], '0');
  }),
  ...Object.entries({
    'one pair': NAME,
    'several pairs': `${NAME},filetype ${base64('application/octet-stream')},note ${base64('a, b; c=d')}`,
    'UTF-8': `filename ${base64('Gitter 12 – α-Synuklein.raw')}`,
    'a key without value': `${NAME},is_confidential`,
    'bytes that are no text': `${NAME},raw ${Buffer.from([0, 255, 13, 10, 128]).toString('base64')}`,
  }).map(([what, value]) =>
    must(`metadata-${what.replaceAll(' ', '-')}`, `HEAD has Upload-Metadata as it was sent: ${what}`, async (calls) => {
      const url = await calls.create({ 'upload-length': '10', 'upload-metadata': value });
      const { headers } = await calls.head(url);
      const echoed = headers['upload-metadata'] ?? '';
      assert.deepEqual(pairsOf(echoed), pairsOf(value), `it is ${echoed}`);
    }),
  ),
  should('metadata-values-base64', 'the values of metadata are Base64', async (calls) => {
    const { status } = await calls.post({ 'upload-length': '10', 'upload-metadata': 'filename gr%d' });
    assert.equal(status, 400, `one that is not was answered ${status}`);
  }),
  should('metadata-keys-not-empty', 'the keys of metadata are not empty', async (calls) => {
    const { status } = await calls.post({ 'upload-length': '10', 'upload-metadata': `${NAME},, ${base64('x')}` });
    assert.equal(status, 400, `one that is was answered ${status}`);
  }),
  should('metadata-keys-unique', 'the keys of metadata are unique', async (calls) => {
    const { status } = await calls.post({ 'upload-length': '10', 'upload-metadata': `${NAME},${NAME}` });
    assert.equal(status, 400, `a repeated one was answered ${status}`);
  }),
  should('metadata-no-smuggling', 'values of metadata cannot add header fields', async (calls) => {
    const smuggled = base64('a.raw\r\nX-Smuggled: yes');
    const answer = await calls.post({ 'upload-length': '10', 'upload-metadata': `filename ${smuggled}` });
    assert.ok(answer.status < 500, `the creation was answered ${answer.status}`);
    if (answer.status !== 201) return;
    const url = calls.locationOf(answer);
    await calls.patch(url, 0, bytesOf(10));
    const got = [answer, await calls.head(url), await calls.send('GET', url)];
    for (const { headers } of got) assert.equal(headers['x-smuggled'], undefined, 'it did');
  }),
  must('too-large', 'an upload above Tus-Max-Size is answered 413', async (calls) => {
    const { headers } = await calls.options();
    const max = headers['tus-max-size'];
    if (max === undefined) return;
    const { status } = await calls.post({ 'upload-length': String(Number(max) + 1024) });
    assert.equal(status, 413, `it was answered ${status}`);
  }),
  must('core-follows', 'the bytes follow by the core protocol', async (calls, server) => {
    const body = bytesOf(20_000);
    const url = await calls.createWith(body, { 'upload-metadata': NAME });
    assert.ok(body.equals(await server.read(url)), 'other bytes were stored');
  }),
];

const deferred = section('defer', 'creation-defer-length');
const DEFERRED = { 'upload-defer-length': '1' };

export const DEFERRED_LENGTH: readonly TusCheck[] = [
  deferred.must('created', 'Upload-Defer-Length: 1 makes an upload of unknown length', async (calls) => {
    assert.equal(await calls.offsetOf(await calls.create(DEFERRED)), 0);
  }),
  deferred.must('head', 'HEAD has Upload-Defer-Length: 1 while the length is unknown', async (calls) => {
    const url = await calls.create(DEFERRED);
    await calls.patch(url, 0, bytesOf(5));
    const { headers } = await calls.head(url);
    assert.equal(headers['upload-defer-length'], '1', `it is ${headers['upload-defer-length']}`);
    assert.equal(headers['upload-length'], undefined, 'HEAD has a length');
    assert.equal(headers['upload-offset'], '5');
  }),
  deferred.must('length-in-patch', 'the length comes with a PATCH', async (calls, server) => {
    const body = bytesOf(12);
    const url = await calls.create(DEFERRED);
    await calls.patch(url, 0, body.subarray(0, 5));
    const { status } = await calls.patch(url, 5, body.subarray(5), { 'upload-length': '12' });
    assert.equal(status, 204, `it was answered ${status}`);
    assert.ok(body.equals(await server.read(url)), 'other bytes were stored');
  }),
  deferred.must('length-in-empty-patch', 'the length comes with a PATCH without bytes', async (calls) => {
    const url = await calls.create(DEFERRED);
    const { status } = await calls.patch(url, 0, bytesOf(0), { 'upload-length': '12' });
    assert.equal(status, 204, `it was answered ${status}`);
    const { headers } = await calls.head(url);
    assert.equal(headers['upload-length'], '12');
  }),
  deferred.must('omitted-when-known', 'Upload-Defer-Length is omitted when the length is known', async (calls) => {
    const url = await calls.create(DEFERRED);
    await calls.patch(url, 0, bytesOf(5), { 'upload-length': '12' });
    const known = await calls.create({ 'upload-length': '12' });
    for (const each of [url, known]) {
      assert.equal((await calls.head(each)).headers['upload-defer-length'], undefined);
    }
  }),
  deferred.must('length-stays', 'the length is not changed once it is set', async (calls) => {
    const url = await calls.create(DEFERRED);
    await calls.patch(url, 0, bytesOf(5), { 'upload-length': '12' });
    await calls.patch(url, 5, bytesOf(1), { 'upload-length': '20' });
    const { headers } = await calls.head(url);
    assert.equal(headers['upload-length'], '12', `it became ${headers['upload-length']}`);
  }),
  deferred.should('other-value', 'another value of Upload-Defer-Length is answered 400', async (calls) => {
    for (const value of ['2', '0', 'true']) {
      const { status } = await calls.post({ 'upload-defer-length': value });
      assert.equal(status, 400, `${value} was answered ${status}`);
    }
  }),
  deferred.must('not-with-length', 'Upload-Defer-Length is omitted beside Upload-Length', async (calls) => {
    const { status } = await calls.post({ 'upload-length': '10', ...DEFERRED });
    assert.equal(status, 400, `both were answered ${status}`);
  }),
];
