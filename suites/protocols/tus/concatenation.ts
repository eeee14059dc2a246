/** The extension "Concatenation", of finished and of unfinished uploads. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { bytesOf, section, type TusCheck } from './tus-check.ts';
import type { TusCalls } from './tus-server.ts';

const { must, should } = section('concat', 'concatenation');
const PARTIAL = { 'upload-concat': 'partial' };
const [FIRST, SECOND] = [bytesOf(10_000, 3), bytesOf(7_777, 4)];
const BOTH = Buffer.concat([FIRST, SECOND]);
const CONCATENATED_WITHIN_MS = 60_000;
const base64 = (text: string) => Buffer.from(text).toString('base64');

async function makePartials(calls: TusCalls): Promise<[string, string]> {
  return [await calls.createWith(FIRST, PARTIAL), await calls.createWith(SECOND, PARTIAL)];
}

const finalOf = (urls: readonly string[]) => ({ 'upload-concat': `final;${urls.join(' ')}` });

/** Waits until the final upload has its offset. */
async function awaitOffset(calls: TusCalls, url: string) {
  for (const deadline = Date.now() + CONCATENATED_WITHIN_MS; ; await sleep(100)) {
    const answer = await calls.head(url);
    if (answer.headers['upload-offset'] !== undefined || Date.now() > deadline) return answer;
  }
}

export const CONCATENATION: readonly TusCheck[] = [
  must('partial', 'Upload-Concat: partial makes a partial upload', async (calls) => {
    const url = await calls.create({ 'upload-length': '10', ...PARTIAL });
    assert.equal(await calls.offsetOf(url), 0);
  }),
  must('partial-offset', 'HEAD of a partial upload has Upload-Offset', async (calls) => {
    const url = await calls.create({ 'upload-length': '10', ...PARTIAL });
    await calls.patch(url, 0, bytesOf(4));
    assert.equal((await calls.head(url)).headers['upload-offset'], '4');
  }),
  must('partial-head', 'HEAD of a partial upload has Upload-Concat: partial', async (calls) => {
    const url = await calls.create({ 'upload-length': '10', ...PARTIAL });
    assert.equal((await calls.head(url)).headers['upload-concat'], 'partial');
  }),
  must('final', 'Upload-Concat: final;… makes a final upload', async (calls) => {
    const { status, headers } = await calls.post(finalOf(await makePartials(calls)));
    assert.equal(status, 201, `it was answered ${status}`);
    assert.ok(headers.location, 'the answer has no Location');
  }),
  must('order', 'the partial uploads are joined in the order of the list', async (calls, server) => {
    const [first, second] = await makePartials(calls);
    const one = await calls.create(finalOf([first, second]));
    assert.ok(BOTH.equals(await server.read(one)), 'other bytes were stored');
  }),
  must('order-reversed', 'the order of the list counts, not that of the creations', async (calls, server) => {
    const [first, second] = await makePartials(calls);
    const other = await calls.create(finalOf([second, first]));
    assert.ok(Buffer.concat([SECOND, FIRST]).equals(await server.read(other)), 'other bytes were stored');
  }),
  must('length', 'the length of the final upload is the sum', async (calls) => {
    const url = await calls.create(finalOf(await makePartials(calls)));
    assert.equal((await calls.head(url)).headers['upload-length'], String(BOTH.length));
  }),
  must('offset', 'after the concatenation Upload-Offset equals Upload-Length', async (calls) => {
    const { headers } = await awaitOffset(calls, await calls.create(finalOf(await makePartials(calls))));
    assert.equal(headers['upload-offset'], String(BOTH.length));
    assert.equal(headers['upload-length'], String(BOTH.length));
  }),
  must('final-head', 'HEAD of a final upload has Upload-Concat as it was sent', async (calls) => {
    const fields = finalOf(await makePartials(calls));
    const { headers } = await calls.head(await calls.create(fields));
    assert.equal(headers['upload-concat'], fields['upload-concat'], `it is ${headers['upload-concat']}`);
  }),
  must('relative', 'the URLs in the list may be relative', async (calls, server) => {
    const partials = await makePartials(calls);
    const url = await calls.create(finalOf(partials.map((each) => new URL(each).pathname)));
    assert.ok(BOTH.equals(await server.read(url)), 'other bytes were stored');
  }),
  must('patch-forbidden', 'PATCH of a final upload is answered 403', async (calls) => {
    const url = await calls.create(finalOf(await makePartials(calls)));
    await awaitOffset(calls, url);
    const { status } = await calls.patch(url, BOTH.length, bytesOf(4));
    assert.equal(status, 403, `it was answered ${status}`);
  }),
  must('patch-changes-nothing', 'such a PATCH changes nothing', async (calls, server) => {
    const url = await calls.create(finalOf(await makePartials(calls)));
    await calls.patch(url, 0, bytesOf(10, 9));
    assert.ok(BOTH.equals(await server.read(url)), 'other bytes were stored');
  }),
  must('metadata', 'metadata of partial uploads does not become that of the final one', async (calls) => {
    const own = { ...PARTIAL, 'upload-metadata': `note ${base64('of the part')}` };
    const partials = [await calls.createWith(FIRST, own), await calls.createWith(SECOND, own)];
    const { headers } = await calls.head(await calls.create(finalOf(partials)));
    assert.doesNotMatch(headers['upload-metadata'] ?? '', /note/);
  }),
  should('metadata-of-final', 'the request for the final upload has its metadata', async (calls) => {
    const value = `filename ${base64('whole.raw')}`;
    const url = await calls.create({ ...finalOf(await makePartials(calls)), 'upload-metadata': value });
    assert.equal((await calls.head(url)).headers['upload-metadata'], value);
  }),
  must('syntax', 'the value of Upload-Concat is partial or final;…', async (calls) => {
    for (const wrong of ['whole', 'final', 'final;']) {
      const { status } = await calls.post({ 'upload-concat': wrong });
      assert.ok(status >= 400 && status < 500, `${wrong} was answered ${status}`);
    }
  }),
  must('missing', 'the partial uploads in the list exist', async (calls) => {
    const { status } = await calls.post(finalOf([calls.missingUrl]));
    assert.ok(status >= 400 && status < 500, `one that does not was answered ${status}`);
  }),
];

const unfinished = section('concat-unfinished', 'concatenation-unfinished');

export const CONCATENATION_UNFINISHED: readonly TusCheck[] = [
  unfinished.must(
    'accepted',
    'a final upload can be created before its partial uploads are complete',
    async (calls, server) => {
      const partials = await Promise.all(
        [FIRST, SECOND].map(({ length }) => calls.create({ 'upload-length': String(length), ...PARTIAL })),
      );
      const url = await calls.create(finalOf(partials));
      for (const [at, body] of [FIRST, SECOND].entries()) {
        const { status } = await calls.patch(partials[at] ?? '', 0, body);
        assert.equal(status, 204, `PATCH of a partial upload was answered ${status}`);
      }
      const { headers } = await awaitOffset(calls, url);
      assert.equal(headers['upload-offset'], String(BOTH.length));
      assert.ok(BOTH.equals(await server.read(url)), 'other bytes were stored');
    },
  ),
  unfinished.should('no-offset', 'HEAD has no Upload-Offset before the concatenation', async (calls) => {
    const partial = await calls.create({ 'upload-length': '10', ...PARTIAL });
    const { headers } = await calls.head(await calls.create(finalOf([partial])));
    assert.equal(headers['upload-offset'], undefined);
  }),
  unfinished.must('length', 'HEAD has Upload-Length when it can be calculated', async (calls) => {
    const [first, second] = [
      await calls.create({ 'upload-length': '10', ...PARTIAL }),
      await calls.create({ 'upload-length': '20', ...PARTIAL }),
    ];
    const { headers } = await calls.head(await calls.create(finalOf([first, second])));
    assert.equal(headers['upload-length'], '30');
  }),
];
