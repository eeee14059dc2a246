/** Who may sign which calls, with which key, and how many at a time. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { ErrorCode } from '@cryolift/protocol/errors';
import { assertFailure } from '../contract/failure.ts';
import { makeMrc } from '../contract/sample.ts';
import { cutPart, eventually, open, openSample, PART_BYTES, publish } from '../contract/upload.ts';
import { callAs, callWith } from '../contract/wire.ts';
import { startServer } from '../server-under-test.ts';
import {
  alter,
  assertRefused,
  owner,
  type SignedPart,
  send,
  server,
  signFile,
  signPart,
  signParts,
} from './signed-urls.ts';

after(() => server.discard());

test('signing: only a caller who may make a call may sign it', async () => {
  const upload = await open(owner);
  const file = await publish(owner, makeMrc(2000));
  const parts = { json: { parts: [[0, 0]] } };
  const [uploads, files] = [`/uploads/${upload.upload_id}/sign`, `/files/${file.file_id}/sign`];
  const other = callAs(server, { sub: 'other' });
  assertRefused(await other('POST', uploads, parts), 'another owner', 'upload_not_found');
  assertRefused(await other('POST', files), 'another owner', 'file_not_found');
  const reader = callAs(server, { sub: 'owner', scope: 'files:read' });
  const writer = callAs(server, { sub: 'owner', scope: 'uploads:write' });
  assertRefused(await reader('POST', uploads, parts), 'a reader', 'forbidden');
  assertRefused(await writer('POST', files), 'a writer', 'forbidden');
});

test('signing: a URL begins with the requested origin, which only the client sets', async () => {
  const { file_id } = await publish(owner, makeMrc(2000));
  const sign = (headers: Record<string, string>) => owner('POST', `/files/${file_id}/sign`, { headers });
  const forwarded = { 'x-forwarded-host': 'elsewhere.test', 'x-forwarded-proto': 'https' };
  const { url } = (await sign({ host: 'em.test:8443', ...forwarded })).json<{ url: string }>();
  assert.equal(new URL(url).origin, 'http://em.test:8443');
  for (const host of ['', 'a b', 'em.test:port']) assertRefused(await sign({ host }), host, 'invalid_request');
});

test('signing: an invalid request is refused', async () => {
  const { upload } = await openSample(owner, 3);
  const path = `/uploads/${upload.upload_id}/sign`;
  const refusals: readonly (readonly [code: ErrorCode, body: unknown])[] = [
    ['part_out_of_range', { parts: [[0, 3]] }],
    ['part_out_of_range', { parts: [[3, 3]] }],
    ['part_out_of_range', { parts: [[-1, 0]] }],
    ['invalid_request', { parts: [[2, 1]] }],
    ['invalid_request', { parts: [] }],
    ['invalid_request', { parts: [[0]] }],
    ['invalid_request', { parts: [[0, 1, 2]] }],
    ['invalid_request', { parts: [['0', '1']] }],
    ['invalid_request', { parts: Array.from({ length: 4000 }, () => [0, 2]) }],
    ['invalid_request', {}],
    ['invalid_request', undefined],
    ['invalid_request', { parts: [[0, 0]], expires_in: 0 }],
    ['invalid_request', { parts: [[0, 0]], expires_in: 7 * 86_400 + 1 }],
    ['invalid_request', { parts: [[0, 0]], expires_in: 1.5 }],
  ];
  for (const [code, json] of refusals) {
    assertRefused(await owner('POST', path, json === undefined ? {} : { json }), JSON.stringify(json), code);
  }
  assert.equal((await signParts(owner, upload, { parts: [[0, 2]], expires_in: 7 * 86_400 })).length, 3);
  const empty = await open(owner, { filename: 'empty.mrc', size: 2000, force: true });
  assertRefused(
    await owner('POST', `/uploads/${empty.upload_id}/sign`, { json: { parts: [[1, 1]] } }),
    'beyond',
    'part_out_of_range',
  );
  assert.equal((await owner('DELETE', `/uploads/${upload.upload_id}`)).status, 204);
  assertRefused(await owner('POST', path, { json: { parts: [[0, 0]] } }), 'cancelled', 'upload_closed');
});

test('signing: keys are replaced by age; their signatures stay good until the key expires', async () => {
  const own = await startServer({ CRYOLIFT_PUBLIC_URL: 'https://em.example.org/lift/' });
  try {
    const call = callAs(own, { sub: 'owner' });
    const anybody = callWith(own, {});
    const file = await publish(call, makeMrc(2000));
    const sign = async () => {
      const { url } = (await call('POST', `/files/${file.file_id}/sign`, { json: {} })).json<{ url: string }>();
      assert.ok(url.startsWith(`https://em.example.org/lift/files/${file.file_id}/content?`), url);
      return new URL(url);
    };
    // A proxy takes its prefix off.
    const get = (url: URL) => callWith(own, {})('GET', url.pathname.replace('/lift', '') + url.search);
    const keyOf = (url: URL) => url.searchParams.get('cl_key');
    const keyFile = join(own.dataDir, 'signing-keys');
    const old = await sign();
    assert.equal((await stat(keyFile)).mode & 0o777, 0o600);
    assert.equal(keyOf(await sign()), keyOf(old));
    const age = async (days: number) => {
      await own.stop();
      const keys = JSON.parse(await readFile(keyFile, 'utf8')) as { made_at: string }[];
      for (const key of keys) key.made_at = new Date(Date.now() - days * 86_400_000).toISOString();
      await writeFile(keyFile, JSON.stringify(keys));
      await own.restart();
    };
    await age(31);
    assert.equal((await get(old)).status, 200);
    const fresh = await sign();
    assert.notEqual(keyOf(fresh), keyOf(old));
    assert.equal((await get(old)).status, 200);
    assert.equal((await get(fresh)).status, 200);
    await age(38);
    await sign();
    assertRefused(await get(old), 'a key that is gone');
    assert.equal((await anybody('GET', `/files/${file.file_id}/content`)).status, 401);
  } finally {
    await own.discard();
  }
});

test('signing: a signature is checked before the body is requested', async () => {
  const { upload, bytes } = await openSample(owner, 2);
  const url = await signPart(upload, 0);
  assertRefused(
    await send(
      alter(url, 'cl_sig', () => 'x'),
      'PUT',
      undefined,
      { 'content-length': String(PART_BYTES), expect: '100-continue' },
    ),
    'a wrong one',
  );
  assert.equal((await send(url, 'PUT', cutPart(bytes, upload, 0))).status, 201);
});

test('signing: calls with signed URLs are counted by network, not by URL', async () => {
  const publishNext = async () =>
    await signFile(await publish(owner, randomBytes(2000), { filename: 'a.mrc', force: true }));
  const remaining = async (url: URL) => Number((await send(url, 'HEAD')).headers['ratelimit-remaining']);
  const used = await publishNext();
  // Both in one second: a URL that was never used before does not begin with all of it.
  await eventually(
    async () => {
      const unused = await publishNext();
      return [await remaining(used), await remaining(unused)] as const;
    },
    ([first, second]) => second === first - 1,
  );
});

test('signing: many URLs are signed for one request of a caller at a time', async () => {
  const upload = await open(owner, { filename: 'long.mrc', size: 5_000 * PART_BYTES });
  const ask = () => owner('POST', `/uploads/${upload.upload_id}/sign`, { json: { parts: [[0, 4_999]] } });
  const answers = await Promise.all(Array.from({ length: 8 }, ask));
  const done = answers.filter(({ status }) => status === 200);
  assert.ok(done.length >= 1 && done.length < 8, `${done.length} of 8 were answered`);
  for (const answer of answers) {
    if (answer.status !== 200) assertFailure(answer, 'overloaded');
    else assert.equal(answer.json<{ urls: SignedPart[] }>().urls.length, 5_000);
  }
  assert.equal((await ask()).status, 200);
});
