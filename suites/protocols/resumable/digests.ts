/** "Integrity Digests". */
import assert from 'node:assert/strict';
import { digestHeader } from '../../contract/sample.ts';
import { bytesOf } from '../tus/tus-check.ts';
import { assertOk, assertRefused, type ResumableCheck, section } from './resumable-check.ts';

const { should } = section('digest', 8);
const BODY = bytesOf(60_000);

export const DIGESTS: readonly ResumableCheck[] = [
  should('whole-right', 'a right Repr-Digest of the whole is accepted', async (calls) => {
    const url = await calls.create(BODY.subarray(0, 100), { 'repr-digest': digestHeader(BODY) });
    assertOk(await calls.append(url, 100, true, BODY.subarray(100)), 'the last append');
  }),
  should('whole-wrong', 'with a wrong Repr-Digest the upload fails', async (calls) => {
    const url = await calls.create(BODY.subarray(0, 100), { 'repr-digest': digestHeader(BODY.subarray(1)) });
    const answer = await calls.append(url, 100, true, BODY.subarray(100));
    assertRefused(answer, 'the last append');
  }),
  should('content-right', 'a right Content-Digest is accepted', async (calls) => {
    const url = await calls.create();
    assertOk(await calls.append(url, 0, false, BODY, { 'content-digest': digestHeader(BODY) }), 'it');
  }),
  should('content-wrong', 'with a wrong Content-Digest nothing is appended', async (calls) => {
    const url = await calls.create();
    const wrong = { 'content-digest': digestHeader(BODY.subarray(1)) };
    assertRefused(await calls.append(url, 0, false, BODY, wrong), 'it');
    assert.equal(await calls.offsetOf(url), 0);
  }),
  should('wanted', 'Want-Repr-Digest at the creation is answered with Repr-Digest at the end', async (calls) => {
    const url = await calls.create(BODY.subarray(0, 100), { 'want-repr-digest': 'sha-256=10' });
    const { headers } = await calls.append(url, 100, true, BODY.subarray(100));
    const { 'repr-digest': digest = '' } = headers;
    assert.ok(digest.includes(digestHeader(BODY)), `it is ${digest || 'not there'}`);
  }),
];
