/** The extension "Creation With Upload". */
import assert from 'node:assert/strict';
import { bytesOf, section, type TusCheck } from './tus-check.ts';
import { listOf, OFFSET_TYPE } from './tus-server.ts';

const { must, should } = section('with-upload', 'creation-with-upload');
const TYPE = { 'content-type': OFFSET_TYPE };

export const CREATION_WITH_UPLOAD: readonly TusCheck[] = [
  must('with-creation', 'it is offered only beside creation', async (calls) => {
    const { headers } = await calls.options();
    assert.ok(listOf(headers['tus-extension']).includes('creation'));
  }),
  must('offset-of-chunk', 'the answer has Upload-Offset after the bytes of the body', async (calls, server) => {
    const body = bytesOf(100);
    const answer = await calls.post({ 'upload-length': '100', ...TYPE }, { body: body.subarray(0, 40) });
    assert.equal(answer.status, 201, `it was answered ${answer.status}`);
    assert.equal(answer.headers['upload-offset'], '40');
    const url = calls.locationOf(answer);
    assert.equal(await calls.offsetOf(url), 40);
    await calls.patch(url, 40, body.subarray(40));
    assert.ok(body.equals(await server.read(url)), 'other bytes were stored');
  }),
  must('offset-of-whole', 'the body can be the whole upload', async (calls, server) => {
    const body = bytesOf(50_000);
    const answer = await calls.post({ 'upload-length': String(body.length), ...TYPE }, { body });
    assert.equal(answer.status, 201, `it was answered ${answer.status}`);
    assert.equal(answer.headers['upload-offset'], String(body.length));
    assert.ok(body.equals(await server.read(calls.locationOf(answer))), 'other bytes were stored');
  }),
  must('type', 'a body needs the Content-Type of PATCH', async (calls) => {
    const answer = await calls.post({ 'upload-length': '10', 'content-type': 'text/plain' }, { body: bytesOf(4) });
    if (answer.status !== 201) {
      assert.ok(answer.status >= 400 && answer.status < 500, `it was answered ${answer.status}`);
      return;
    }
    const offset = await calls.offsetOf(calls.locationOf(answer));
    assert.equal(offset, 0, 'bytes of another type were stored');
  }),
  should('expect', 'Expect: 100-continue is answered before the body', async (calls) => {
    const fields = { 'upload-length': '10', ...TYPE };
    const answer = await calls.post(fields, { body: bytesOf(4), expect: true });
    assert.equal(answer.status, 201, `it was answered ${answer.status}`);
    assert.equal(answer.headers['upload-offset'], '4');
  }),
];
