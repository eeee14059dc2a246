/** The extension "Expiration". */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { bytesOf, section, type TusCheck } from './tus-check.ts';
import { TusCalls } from './tus-server.ts';

const { must, should } = section('expiration', 'expiration');
/** IMF-fixdate of RFC 9110. */
const DATE =
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT$/;
const EXPIRES_WITHIN_MS = 60_000;

export const EXPIRATION: readonly TusCheck[] = [
  must('patch', 'each PATCH of an unfinished upload has Upload-Expires', async (calls) => {
    const url = await calls.create({ 'upload-length': '10' });
    for (const offset of [0, 1, 2]) {
      const { headers } = await calls.patch(url, offset, bytesOf(1));
      assert.ok(headers['upload-expires'], 'it has none');
    }
  }),
  must('post', 'the creation has Upload-Expires when it is known', async (calls) => {
    const { headers } = await calls.post({ 'upload-length': '10' });
    assert.ok(headers['upload-expires'], 'it has none');
  }),
  must('format', 'Upload-Expires is a date of RFC 7231', async (calls) => {
    const { headers } = await calls.patch(await calls.create({ 'upload-length': '10' }), 0, bytesOf(1));
    assert.match(headers['upload-expires'] ?? '', DATE);
  }),
  must('not-yet', 'Upload-Expires is the time after which the upload expires', async (calls) => {
    const { headers } = await calls.post({ 'upload-length': '10' });
    const expiresMs = Date.parse(headers['upload-expires'] ?? '');
    assert.ok(expiresMs >= Date.now() - 1000, `it is ${headers['upload-expires']}`);
  }),
  should('gone', 'an upload that expired is answered 404 or 410', async (_, { expiring }) => {
    if (expiring === null) return;
    const calls = new TusCalls(expiring);
    const url = await calls.create({ 'upload-length': '10' });
    let status = 200;
    for (const deadline = Date.now() + EXPIRES_WITHIN_MS; status < 300 && Date.now() < deadline; await sleep(500)) {
      status = (await calls.head(url)).status;
    }
    assert.ok([404, 410].includes(status), `HEAD was answered ${status}`);
    const patched = await calls.patch(url, 0, bytesOf(10));
    assert.ok([404, 410].includes(patched.status), `PATCH was answered ${patched.status}`);
  }),
];
