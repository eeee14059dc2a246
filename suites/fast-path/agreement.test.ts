/** Answers to parts: both paths give the same, with and without `Expect`. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { digestHeader } from '../contract/sample.ts';
import type { Claims } from '../contract/token.ts';
import { PART_BYTES } from '../contract/upload.ts';
import { assertAgreement, type Course } from './compare.ts';
import { MARKER } from './dialogue.ts';
import { BODY, openUploads, type Pair, startPair, TOKEN, UPLOAD } from './pair.ts';

/** Every case here gets an answer; a slow disk may need this time. */
const SLOW_SILENCE_MS = 20_000;
const ORIGIN = 'https://page.test';

const pair = await startPair({ CRYOLIFT_CORS_ORIGINS: ORIGIN, CRYOLIFT_BODY_IDLE_TIMEOUT: '1s' });
after(() => pair.discard());

interface Part {
  /** The last of two parts has 5 bytes. */
  readonly path?: string;
  readonly token?: string;
  readonly body?: string;
  /** Instead of the body's. */
  readonly length?: string;
  readonly fields?: string;
}

function print({ path = `/uploads/${UPLOAD}/part/1`, token = TOKEN, body = BODY, length, fields = '' }: Part) {
  const head = `PUT ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n`;
  return [`${head}${length ?? `Content-Length: ${body.length}\r\n`}${fields}\r\n`, body] as const;
}

const digest = (body: string) => `Content-Digest: ${digestHeader(Buffer.from(body, 'latin1'))}\r\n`;
const sign = (claims: Claims) => pair.sign({ sub: 'somebody', ...claims });
const FIRST = 'x'.repeat(PART_BYTES);
const CHUNKED = { length: 'Transfer-Encoding: chunked\r\n', body: '5\r\n12345\r\n0\r\n\r\n' };
const path = (idx: number | string) => `/uploads/${UPLOAD}/part/${idx}`;

/** By the answers: the parts that are sent on one connection, each after the answer to the one before. */
const ANSWERS: Readonly<Record<string, { parts: readonly Part[]; statuses: readonly number[] }>> = {
  'stored: 201': { parts: [{}], statuses: [201] },
  'stored, with a digest: 201': { parts: [{ fields: digest(BODY) }], statuses: [201] },
  'both parts, out of order': { parts: [{}, { path: path(0), body: FIRST }], statuses: [201, 201] },
  'sent again with its digest: 200': { parts: [{}, { fields: digest(BODY) }], statuses: [201, 200] },
  'sent again without: 200': { parts: [{}, {}], statuses: [201, 200] },
  'a large one sent again': { parts: Array(3).fill({ path: path(0), body: FIRST }), statuses: [201, 200, 200] },
  'other bytes with their digest: 409': {
    parts: [{}, { body: 'other', fields: digest('other') }],
    statuses: [201, 409],
  },
  'other bytes without: 409': { parts: [{}, { body: 'other' }], statuses: [201, 409] },
  'another digest: 422': { parts: [{ fields: digest('other') }, {}], statuses: [422, 201] },
  'a part that is too short: 400': { parts: [{ body: '1234' }, {}], statuses: [400, 201] },
  'a part of no bytes: 400': { parts: [{ body: '' }, {}], statuses: [400, 201] },
  'a part that is too large: 413': { parts: [{ body: `${FIRST}x` }, {}], statuses: [413, 201] },
  'beyond the last part: 404': { parts: [{ path: path(2) }, {}], statuses: [404, 201] },
  'no index: 400': { parts: [{ path: path('x') }, {}], statuses: [400, 201] },
  'no token: 401': { parts: [{ token: '' }, {}], statuses: [401, 201] },
  'a token that expired: 401': { parts: [{ token: sign({ ttlSeconds: -99 }) }, {}], statuses: [401, 201] },
  'a token that may not: 403': { parts: [{ token: sign({ scope: 'files:read' }) }, {}], statuses: [403, 201] },
  'the upload of another: 404': { parts: [{ token: sign({}) }, {}], statuses: [404, 201] },
  'no such upload: 404': { parts: [{ path: '/uploads/none/part/1' }, {}], statuses: [404, 201] },
  'no length: 411': { parts: [{ length: '', body: '' }, {}], statuses: [411, 201] },
  'in chunks: 411': { parts: [CHUNKED, {}], statuses: [411, 201] },
  'an unknown digest: 400': { parts: [{ fields: 'Content-Digest: md5=:AAAA:\r\n' }, {}], statuses: [400, 201] },
  'a digest that is none: 400': { parts: [{ fields: 'Content-Digest: x\r\n' }, {}], statuses: [400, 201] },
  'a page of a known origin': { parts: [{ fields: `Origin: ${ORIGIN}\r\n` }], statuses: [201] },
  'a page of another origin': { parts: [{ fields: 'Origin: https://x.test\r\n' }], statuses: [201] },
  'a page, refused': { parts: [{ token: '', fields: `Origin: ${ORIGIN}\r\n` }, {}], statuses: [401, 201] },
  'Connection: close': { parts: [{ fields: 'Connection: close\r\n' }], statuses: [201] },
};

const open = (of: Pair = pair) => openUploads(of, PART_BYTES + BODY.length);

function statusesOf({ received }: Course): number[] {
  return [...received.join('\n').matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));
}

for (const [what, { parts, statuses }] of Object.entries(ANSWERS)) {
  test(`agreement: ${what}`, async () => {
    const pieces = parts.map((part) => print(part).join(''));
    const course = await assertAgreement(await open(), [...pieces, MARKER], SLOW_SILENCE_MS);
    const isClosed = course.state === 'closed';
    assert.deepEqual(statusesOf(course), isClosed ? statuses : [...statuses, 200]);
  });
  test(`agreement: ${what}; with Expect`, async () => {
    const pieces = parts.flatMap((part) => print({ ...part, fields: `Expect: 100-continue\r\n${part.fields ?? ''}` }));
    const course = await assertAgreement(await open(), [...pieces.filter(Boolean), MARKER], SLOW_SILENCE_MS);
    const final = statusesOf(course).filter((status) => status !== 100);
    // A refusal ends the connection when the body was not asked for.
    assert.deepEqual(final, course.state === 'closed' ? statuses.slice(0, final.length) : [...statuses, 200]);
  });
}

test('agreement: a closed upload: 409', async () => {
  const both = await open();
  for (const { call, fill } of [both.fast, both.standard]) await call('DELETE', fill(`/uploads/${UPLOAD}`));
  assert.deepEqual(statusesOf(await assertAgreement(both, [print({}).join(''), MARKER], SLOW_SILENCE_MS)), [409, 200]);
  const [head] = print({ fields: 'Expect: 100-continue\r\n' });
  assert.deepEqual(statusesOf(await assertAgreement(both, [head], SLOW_SILENCE_MS)), [409]);
});

test('agreement: a body that stalls: 408, and the part can be sent again', async () => {
  const [head, body] = print({});
  const [expecting] = print({ fields: 'Expect: 100-continue\r\n' });
  await Promise.all(
    [[head], [head + body.slice(0, 3)], [expecting, body.slice(0, 3)]].map(async (pieces) => {
      const both = await open();
      const course = await assertAgreement(both, pieces, SLOW_SILENCE_MS);
      assert.equal(statusesOf(course).at(-1), 408);
      assert.equal(course.state, 'closed');
      assert.deepEqual(statusesOf(await assertAgreement(both, [head + body, MARKER], SLOW_SILENCE_MS)), [201, 200]);
    }),
  );
});

test('agreement: too many requests: 429', async () => {
  const limited = await startPair({ CRYOLIFT_RATE_LIMIT: '2', CRYOLIFT_CORS_ORIGINS: ORIGIN });
  try {
    const newcomer = limited.sign({ sub: 'newcomer' });
    const part = print({ token: newcomer, fields: `Origin: ${ORIGIN}\r\n` }).join('');
    const course = await assertAgreement(limited, [part, part, part, MARKER], SLOW_SILENCE_MS);
    assert.deepEqual(statusesOf(course), [404, 404, 429, 200]);
  } finally {
    await limited.discard();
  }
});
