/** "Upload Creation", and the state that it makes. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { bytesOf } from '../tus/tus-check.ts';
import { assertOk, assertRefused, limitsOf, type ResumableCheck, section } from './resumable-check.ts';
import type { ResumableCalls } from './resumable-server.ts';

const { must, should } = section('creation');
const since5 = section('creation', 5);
const since6 = section('creation', 6);
const since8 = section('creation', 8);
const BODY = bytesOf(60_000);
const EMPTY = new Uint8Array();
const WITH_PROGRESS = bytesOf(3_000_000);
/** Long enough for a server to see that a connection ended. */
const NOTICED_MS = 60_000;

export const CREATION: readonly ResumableCheck[] = [
  must('location', 'a request that does not complete the upload is answered 2xx with Location', async (calls) => {
    const answer = await calls.start(false, BODY);
    assertOk(answer, 'it');
    assert.equal(await calls.offsetOf(calls.locationOf(answer)), BODY.length);
  }),
  should('created', 'that answer is 201', async (calls) => {
    const { status } = await calls.start(false, EMPTY);
    assert.equal(status, 201, `it was answered ${status}`);
  }),
  since8.must('limits', 'that answer has Upload-Limit, when there are limits', async (calls) => {
    limitsOf(await calls.start(false, EMPTY));
  }),
  must('empty', 'the content of a creation can be empty', async (calls) => {
    assert.equal(await calls.offsetOf(await calls.create()), 0);
  }),
  must('whole', 'a request with the whole representation needs no other', async (calls, server) => {
    const { status, headers, interim } = await calls.start(true, BODY);
    assert.ok(status >= 200 && status < 300, `it was answered ${status}`);
    const location = headers.location ?? interim.find((each) => each.headers.location)?.headers.location;
    assert.ok(location, 'no answer has Location');
    assert.ok(BODY.equals(await server.read(new URL(location, server.url).href)), 'other bytes were stored');
  }),
  must('put', 'every method with content can create, where the server allows it: PUT', async (calls, { putUrl }) => {
    if (putUrl === null) return;
    const answer = await calls.send('PUT', putUrl, calls.complete(false), { body: BODY });
    assertOk(answer, 'PUT');
    assert.equal(await calls.offsetOf(calls.locationOf(answer)), BODY.length);
  }),
  must('chunked', 'the content can come without Content-Length', async (calls) => {
    const answer = await calls.start(false, BODY, {}, { chunked: true });
    assertOk(answer, 'it');
    assert.equal(await calls.offsetOf(calls.locationOf(answer)), BODY.length);
  }),
  should('unique', 'each upload has its own URL', async (calls) => {
    assert.notEqual(await calls.create(), await calls.create());
  }),
  should('interim', 'the upload is announced by 104', async (calls) => {
    const { interim } = await calls.start(true, BODY);
    assert.ok(
      interim.some(({ status }) => status === 104),
      `interim answers: ${interim.map(({ status }) => status)}`,
    );
  }),
  must('interim-location', 'the first 104 has Location', async (calls) => {
    const { interim } = await calls.start(true, BODY);
    const first = interim.find(({ status }) => status === 104);
    if (first) assert.ok(first.headers.location, 'it has none');
  }),
  since8.must('interim-limits', 'the first 104 has Upload-Limit, when there are limits', async (calls) => {
    const { interim } = await calls.start(true, BODY);
    const first = interim.find(({ status }) => status === 104);
    if (first) limitsOf(first);
  }),
  must('interim-version', 'a 104 has the interop version of the request', async (calls) => {
    const { interim } = await calls.start(true, BODY);
    for (const { headers } of interim.filter(({ status }) => status === 104)) {
      assert.equal(headers['upload-draft-interop-version'], String(calls.server.version));
    }
  }),
  must('no-interim-without-version', 'without an interop version that is known there is no 104', async (calls) => {
    for (const version of ['', '2', '99']) {
      const { interim } = await calls.start(true, BODY, { 'upload-draft-interop-version': version });
      assert.ok(!interim.some(({ status }) => status === 104), `there is one for ${version || 'none'}`);
    }
  }),
  must('same-location', 'all answers to a creation have the same Location', async (calls) => {
    const { headers, interim } = await calls.start(false, WITH_PROGRESS);
    const all = [...interim.filter(({ status }) => status === 104), { headers }].map((each) => each.headers.location);
    const given = new Set(all.filter((location) => location !== undefined));
    assert.equal(given.size, 1, `they have ${[...given].join(' and ')}`);
  }),
  since5.must('progress', 'a 104 on the way has the current Upload-Offset', async (calls) => {
    const { interim } = await calls.start(false, WITH_PROGRESS);
    const offsets = interim.flatMap(({ headers }) => headers['upload-offset'] ?? []).map(Number);
    assert.deepEqual(
      offsets,
      [...offsets].sort((one, other) => one - other),
    );
    assert.ok(offsets.every((offset) => offset <= WITH_PROGRESS.length));
  }),
  must('continue', '104 does not replace 100 (Continue)', async (calls) => {
    const answer = await calls.start(false, BODY, {}, { expect: true });
    assertOk(answer, 'it');
  }),
  should('cut-off', 'what arrived of a creation that was cut off is kept', async (calls, server) => {
    const { url, offset } = await cutOff(calls, true);
    assert.ok(offset > 0, `the offset is ${offset}`);
    const rest = await calls.append(url, offset, true, WITH_PROGRESS.subarray(offset));
    assertOk(rest, 'the rest');
    assert.ok(WITH_PROGRESS.equals(await server.read(url)), 'other bytes were stored');
  }),
  must('cut-off-not-complete', 'such an upload is not complete', async (calls) => {
    const { answer } = await cutOff(calls, true);
    assert.equal(calls.isComplete(answer), false);
  }),
  since6.must(
    'length-from-content',
    'the length is recorded from Content-Length of a complete request',
    async (calls) => {
      const { answer } = await cutOff(calls, true);
      assert.equal(answer.headers['upload-length'], String(WITH_PROGRESS.length));
    },
  ),
  since6.must('length-from-field', 'the length is recorded from Upload-Length', async (calls) => {
    const { headers } = await calls.head(await calls.create(BODY, { 'upload-length': '70000' }));
    assert.equal(headers['upload-length'], '70000');
  }),
  since6.must('lengths-agree', 'Upload-Length and Content-Length of a complete request agree', async (calls) => {
    assertRefused(await calls.start(true, BODY, { 'upload-length': '70000' }), 'other lengths');
  }),
  must('complete-syntax', 'Upload-Complete that is no boolean is ignored', async (calls) => {
    const [name = ''] = Object.keys(calls.complete(true));
    const answer = await calls.start(true, BODY, { [name]: 'yes' });
    assert.ok(answer.status < 500, `it was answered ${answer.status}`);
    assert.ok(!answer.interim.some(({ status }) => status === 104), 'an upload was announced');
  }),
  must(
    'complete-parameters',
    'Upload-Complete is an item of structured fields: parameters are allowed',
    async (calls) => {
      const [[name, value] = ['', '']] = Object.entries(calls.complete(false));
      const answer = await calls.start(false, BODY, { [name]: `${value};by=client` });
      assertOk(answer, 'it');
      calls.locationOf(answer);
    },
  ),
  since6.must('length-syntax', 'Upload-Length that is no integer is ignored', async (calls) => {
    const { headers } = await calls.head(await calls.create(BODY, { 'upload-length': '"70000"' }));
    assert.equal(headers['upload-length'], undefined);
  }),
  since8.must('options', 'OPTIONS is answered with Upload-Limit', async (calls) => {
    const answer = await calls.send('OPTIONS', calls.server.url);
    assertOk(answer, 'it');
    limitsOf(answer);
  }),
  since8.should('options-as-uploads', 'the limits of OPTIONS are not wider than those of an upload', async (calls) => {
    const [announced, applied] = [
      limitsOf(await calls.send('OPTIONS', calls.server.url)),
      limitsOf(await calls.head(await calls.create())),
    ];
    for (const key of ['max-size', 'max-append-size']) {
      assert.ok((announced[key] ?? Infinity) <= (applied[key] ?? Infinity), `${key} of an upload is ${applied[key]}`);
    }
  }),
  since8.must('too-large', '413 for a limit has Upload-Limit', async (calls) => {
    const { 'max-size': max } = limitsOf(await calls.send('OPTIONS', calls.server.url));
    if (max === undefined) return;
    const answer = await calls.start(false, EMPTY, { 'upload-length': String(max + 1) });
    assert.equal(answer.status, 413, `it was answered ${answer.status}`);
    limitsOf(answer);
  }),
];

/** Creates an upload whose connection ends within the body. */
async function cutOff(calls: ResumableCalls, isComplete: boolean) {
  const sent = await calls.sendPartly('POST', calls.server.url, calls.complete(isComplete), WITH_PROGRESS, 2_000_000);
  const find = () => sent.interim.find(({ headers }) => headers.location);
  for (const deadline = Date.now() + NOTICED_MS; !find() && Date.now() < deadline; ) await sleep(20);
  const announced = find();
  assert.ok(announced, 'there was no 104 with Location');
  // The bytes before the end are read by then.
  await sleep(200);
  sent.cut();
  const url = calls.locationOf(announced);
  for (const deadline = Date.now() + NOTICED_MS; ; await sleep(100)) {
    const answer = await calls.head(url);
    const offset = Number(answer.headers['upload-offset'] ?? 0);
    if (offset > 0 || Date.now() > deadline) return { url, answer, offset };
  }
}
