/** "Offset Retrieval", "Upload Append", "Upload Cancellation" and "Concurrency". */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { bytesOf } from '../tus/tus-check.ts';
import { assertOk, assertRefused, limitsOf, type ResumableCheck, section } from './resumable-check.ts';
import type { ResumableCalls } from './resumable-server.ts';

const head = section('head');
const append = section('append');
const append6 = section('append', 6);
const append8 = section('append', 8);
const cancel = section('cancel');
const concurrency = section('concurrency');
const BODY = bytesOf(60_000);
const EMPTY = new Uint8Array();
/** Of several parts. */
const LARGE = bytesOf(20_000_000);
const NOTICED_MS = 60_000;
/** An append has begun by then; on a machine without time, too. */
const BEGUN_MS = 200;
const SURELY_BEGUN_MS = 10_000;
/** A request that ends at once has ended by then. */
const ENDED_MS = 20_000;
const PROBLEMS = 'https://iana.org/assignments/http-problem-types';

export const OFFSET_RETRIEVAL: readonly ResumableCheck[] = [
  head.must('offset', 'HEAD has Upload-Offset', async (calls) => {
    const { headers } = await calls.head(await calls.create(BODY));
    assert.equal(headers['upload-offset'], String(BODY.length));
  }),
  head.must('complete', 'HEAD says whether the upload is complete', async (calls) => {
    const url = await calls.create(BODY);
    assert.equal(calls.isComplete(await calls.head(url)), false);
    assertOk(await calls.append(url, BODY.length, true, EMPTY), 'the end');
    assert.equal(calls.isComplete(await calls.head(url)), true);
  }),
  section('head', 8).must('limits', 'HEAD has Upload-Limit', async (calls) => {
    limitsOf(await calls.head(await calls.create()));
  }),
  head.should('no-store', 'HEAD has Cache-Control: no-store', async (calls) => {
    const { headers } = await calls.head(await calls.create());
    assert.match(headers['cache-control'] ?? '', /\bno-store\b/);
  }),
  head.should('kept-after-end', 'an upload that is complete can be asked for', async (calls) => {
    const url = await calls.create(BODY);
    await calls.append(url, BODY.length, true, EMPTY);
    assert.equal(await calls.offsetOf(url), BODY.length);
  }),
];

export const APPEND: readonly ResumableCheck[] = [
  append.must('applies', 'PATCH appends, and the last one completes', async (calls, server) => {
    const url = await calls.create(BODY.subarray(0, 10_000));
    assertOk(await calls.append(url, 10_000, false, BODY.subarray(10_000, 33_333)), 'an append');
    assertOk(await calls.append(url, 33_333, true, BODY.subarray(33_333)), 'the last append');
    assert.ok(BODY.equals(await server.read(url)), 'other bytes were stored');
  }),
  append8.must('not-complete', 'an answer to an append that does not complete says so', async (calls) => {
    const answer = await calls.append(await calls.create(), 0, false, BODY);
    assertOk(answer, 'it');
    assert.equal(calls.isComplete(answer), false);
  }),
  append8.must('complete', 'the answer to the last append says that the upload is complete', async (calls) => {
    const answer = await calls.append(await calls.create(), 0, true, BODY);
    assertOk(answer, 'it');
    assert.equal(calls.isComplete(answer), true);
  }),
  append.must('end-without-content', 'an append without content can complete the upload', async (calls, server) => {
    const url = await calls.create(BODY);
    assertOk(await calls.append(url, BODY.length, true, EMPTY), 'it');
    assert.ok(BODY.equals(await server.read(url)), 'other bytes were stored');
  }),
  append.must('chunked', 'an append can come without Content-Length', async (calls) => {
    const url = await calls.create();
    assertOk(await calls.append(url, 0, false, BODY, {}, { chunked: true }), 'it');
    assert.equal(await calls.offsetOf(url), BODY.length);
  }),
  append.must('conflict', 'another offset is answered 409', async (calls) => {
    const url = await calls.create(BODY.subarray(0, 10_000));
    for (const offset of [0, 20_000]) {
      const { status } = await calls.append(url, offset, false, BODY.subarray(offset));
      assert.equal(status, 409, `${offset} was answered ${status}`);
    }
    assert.equal(await calls.offsetOf(url), 10_000);
  }),
  append.must('conflict-offset', 'that answer has the right Upload-Offset', async (calls) => {
    const { headers } = await calls.append(await calls.create(BODY), 5, false, BODY.subarray(5));
    assert.equal(headers['upload-offset'], String(BODY.length));
  }),
  append6.should('conflict-problem', 'that answer has the problem type with both offsets', async (calls) => {
    const { headers, body } = await calls.append(await calls.create(BODY), 5, false, BODY.subarray(5));
    assert.match(headers['content-type'] ?? '', /^application\/problem\+json/);
    const problem = JSON.parse(body.toString()) as Record<string, unknown>;
    assert.equal(problem.type, `${PROBLEMS}#mismatching-upload-offset`);
    assert.equal(problem['expected-offset'], BODY.length);
    assert.equal(problem['provided-offset'], 5);
  }),
  append.must('offset-needed', 'an append says its offset', async (calls) => {
    const url = await calls.create();
    for (const wrong of ['', 'abc', '-1', '"0"']) {
      assertRefused(await calls.append(url, 0, false, BODY, { 'upload-offset': wrong }), wrong || 'none');
    }
    assert.equal(await calls.offsetOf(url), 0);
  }),
  append6.should('type', 'an append of another media type is refused', async (calls) => {
    const url = await calls.create();
    assertRefused(await calls.append(url, 0, false, BODY, { 'content-type': 'text/plain' }), 'text/plain');
    assert.equal(await calls.offsetOf(url), 0);
  }),
  append.must('after-end', 'nothing is appended to a complete upload', async (calls) => {
    const url = await calls.create(BODY);
    assertOk(await calls.append(url, BODY.length, true, EMPTY), 'the end');
    assertRefused(await calls.append(url, BODY.length, true, bytesOf(10)), 'more');
    assertRefused(await calls.append(url, BODY.length, false, bytesOf(10)), 'more');
    assert.equal(await calls.offsetOf(url), BODY.length);
  }),
  append6.must('beyond-length', 'an append beyond the length is refused', async (calls) => {
    const url = await calls.create(EMPTY, { 'upload-length': '1000' });
    assertRefused(await calls.append(url, 0, false, bytesOf(2000)), 'it');
  }),
  append6.must('beyond-length-chunked', 'also when it has no Content-Length', async (calls) => {
    const url = await calls.create(EMPTY, { 'upload-length': '1000' });
    assertRefused(await calls.append(url, 0, false, bytesOf(2000), {}, { chunked: true }), 'it');
  }),
  append8.must('beyond-length-invalid', 'the upload is then invalid, and its requests are refused', async (calls) => {
    const url = await calls.create(EMPTY, { 'upload-length': '1000' });
    await calls.append(url, 0, false, bytesOf(2000), {}, { chunked: true });
    assertRefused(await calls.append(url, 0, true, bytesOf(1000)), 'another append');
  }),
  append6.must('length-stays', 'another length is refused', async (calls) => {
    const url = await calls.create(EMPTY, { 'upload-length': '60000' });
    assertRefused(await calls.append(url, 0, false, BODY.subarray(0, 100), { 'upload-length': '60001' }), 'it');
    assert.equal((await calls.head(url)).headers['upload-length'], '60000');
  }),
  append6.must('length-of-end', 'the last append agrees with the length', async (calls) => {
    const url = await calls.create(EMPTY, { 'upload-length': '60000' });
    assertRefused(await calls.append(url, 0, true, BODY.subarray(0, 100)), 'a shorter one');
  }),
  append8.should('length-problem', 'a length that disagrees has its problem type', async (calls) => {
    const url = await calls.create(EMPTY, { 'upload-length': '60000' });
    const { body } = await calls.append(url, 0, true, BODY.subarray(0, 100));
    const problem = JSON.parse(body.toString()) as Record<string, unknown>;
    assert.equal(problem.type, `${PROBLEMS}#inconsistent-upload-length`);
  }),
  append.should('cut-off', 'what arrived of an append that was cut off is kept', async (calls, server) => {
    const url = await calls.create();
    const sent = await calls.sendPartly('PATCH', url, calls.appendFields(0, true), LARGE, 2_000_000);
    await sleep(300);
    sent.cut();
    let offset = 0;
    for (const deadline = Date.now() + NOTICED_MS; offset === 0 && Date.now() < deadline; await sleep(100)) {
      offset = Number((await calls.head(url)).headers['upload-offset'] ?? 0);
    }
    assert.ok(offset > 0 && offset <= 2_000_000, `the offset is ${offset}`);
    assert.equal(calls.isComplete(await calls.head(url)), false, 'the upload is complete');
    assertOk(await calls.append(url, offset, true, LARGE.subarray(offset)), 'the rest');
    assert.ok(LARGE.equals(await server.read(url)), 'other bytes were stored');
  }),
  append8.should('progress', 'a long append has 104 with Upload-Offset', async (calls) => {
    const url = await calls.create(EMPTY, { 'upload-length': String(LARGE.length) });
    const sent = await calls.sendPartly('PATCH', url, calls.appendFields(0, false), LARGE, 18_000_000);
    for (const deadline = Date.now() + NOTICED_MS; sent.interim.length === 0 && Date.now() < deadline; )
      await sleep(50);
    sent.end(LARGE.subarray(18_000_000));
    await sent.answer;
    assert.ok(
      sent.interim.some(({ headers }) => headers['upload-offset']),
      'there was none',
    );
  }),
  section('append', 5).must('progress-no-location', 'a 104 of an append has no Location', async (calls) => {
    const { interim } = await calls.append(await calls.create(), 0, false, LARGE);
    for (const { headers } of interim) assert.equal(headers.location, undefined);
  }),
];

export const CANCELLATION: readonly ResumableCheck[] = [
  cancel.should('deactivated', 'after DELETE the upload is gone', async (calls) => {
    const url = await calls.create(BODY);
    assertOk(await calls.send('DELETE', url), 'DELETE');
    assertRefused(await calls.head(url), 'HEAD');
    assertRefused(await calls.append(url, BODY.length, true, EMPTY), 'an append');
  }),
  cancel.should('ends-requests', 'DELETE ends requests that are under way', async (calls) => {
    const url = await calls.create();
    const sent = await calls.sendPartly('PATCH', url, calls.appendFields(0, true), LARGE, 1_000_000);
    await sleep(300);
    assertOk(await calls.send('DELETE', url), 'DELETE');
    const ended = await Promise.race([sent.answer.catch(() => 'cut'), sleep(ENDED_MS, null)]);
    sent.cut();
    assert.ok(ended !== null, 'the append still runs');
  }),
];

/** Asks for the offset while an append is under way. @param beganMs how long it has been. */
async function interrupt(calls: ResumableCalls, beganMs: number) {
  const url = await calls.create();
  const sent = await calls.sendPartly('PATCH', url, calls.appendFields(0, true), LARGE, 3_000_000);
  await sleep(beganMs);
  return [url, sent, await calls.offsetOf(url)] as const;
}

export const CONCURRENCY: readonly ResumableCheck[] = [
  concurrency.must(
    'offset-usable',
    'an offset that HEAD answers is accepted, whatever was under way',
    async (calls, server) => {
      let [url, sent, offset] = await interrupt(calls, BEGUN_MS);
      // An append that has not begun yet may also come behind the HEAD.
      if (offset === 0) {
        sent.cut();
        [url, sent, offset] = await interrupt(calls, SURELY_BEGUN_MS);
      }
      sent.write(LARGE.subarray(3_000_000, 4_000_000));
      const answer = await calls.append(url, offset, true, LARGE.subarray(offset));
      sent.cut();
      assertOk(answer, `an append at ${offset}`);
      assert.ok(LARGE.equals(await server.read(url)), 'other bytes were stored');
    },
  ),
  concurrency.must('appends', 'of two appends at one offset at most one is applied', async (calls, server) => {
    const url = await calls.create();
    const answers = await Promise.all([1, 2, 3].map(() => calls.append(url, 0, false, BODY).catch(() => null)));
    const applied = answers.filter((answer) => answer !== null && answer.status < 300).length;
    const offset = await calls.offsetOf(url);
    assert.ok(applied <= 1 && offset <= BODY.length, `${applied} were, and the offset is ${offset}`);
    assertOk(await calls.append(url, offset, true, BODY.subarray(offset)), 'the rest');
    assert.ok(BODY.equals(await server.read(url)), 'other bytes were stored');
  }),
];
