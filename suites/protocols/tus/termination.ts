/** The extension "Termination". */
import assert from 'node:assert/strict';
import { bytesOf, section, type TusCheck } from './tus-check.ts';

const { must, should } = section('termination', 'termination');

export const TERMINATION: readonly TusCheck[] = [
  must('unfinished', 'DELETE of an unfinished upload is answered 204', async (calls) => {
    const url = await calls.create({ 'upload-length': '10' });
    await calls.patch(url, 0, bytesOf(4));
    const { status } = await calls.send('DELETE', url);
    assert.equal(status, 204, `it was answered ${status}`);
  }),
  must('finished', 'DELETE of a complete upload is answered 204', async (calls, server) => {
    const url = await calls.createWith(bytesOf(10));
    await server.read(url);
    const { status } = await calls.send('DELETE', url);
    assert.equal(status, 204, `it was answered ${status}`);
  }),
  must('override', 'DELETE can be written in X-HTTP-Method-Override', async (calls) => {
    const url = await calls.create({ 'upload-length': '10' });
    const { status } = await calls.send('POST', url, { 'x-http-method-override': 'DELETE' });
    assert.equal(status, 204, `it was answered ${status}`);
  }),
  should('head-after', 'HEAD is then answered 404 or 410', async (calls) => {
    const url = await calls.create({ 'upload-length': '10' });
    await calls.send('DELETE', url);
    const { status, headers } = await calls.head(url);
    assert.ok([404, 410].includes(status), `it was answered ${status}`);
    assert.equal(headers['upload-offset'], undefined);
  }),
  should('patch-after', 'PATCH is then answered 404 or 410', async (calls) => {
    const url = await calls.create({ 'upload-length': '10' });
    await calls.send('DELETE', url);
    const { status } = await calls.patch(url, 0, bytesOf(10));
    assert.ok([404, 410].includes(status), `it was answered ${status}`);
  }),
  should('delete-after', 'another DELETE is then answered 404 or 410', async (calls) => {
    const url = await calls.create({ 'upload-length': '10' });
    await calls.send('DELETE', url);
    const { status } = await calls.send('DELETE', url);
    assert.ok([404, 410].includes(status), `it was answered ${status}`);
  }),
];
