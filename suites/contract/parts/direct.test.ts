/** Parts for the storage itself: what a server answers whose storage takes none from clients. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { ConfirmedParts, Limits, SignedParts } from '@cryolift/protocol/messages';
import { findServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { sha256Hex } from '../sample.ts';
import { cutPart, openSample, put } from '../upload.ts';
import { callAs, callWith } from '../wire.ts';

const server = await findServer();
after(() => server.discard());
const call = callAs(server);

test('direct: without a bucket, parts with digests get URLs of the server, and stored ones none', async () => {
  assert.equal((await call('GET', '/limits')).json<Limits>().direct, undefined);
  const { upload, bytes } = await openSample(call, 3);
  await put(call, upload, 1, bytes);
  const digests = [0, 1, 2].map((idx) => sha256Hex(cutPart(bytes, upload, idx)));
  const json = { parts: [[0, 2]], sha256: digests };
  const answer = await call('POST', `/uploads/${upload.upload_id}/sign`, { json });
  const { urls, stored } = answer.json<SignedParts>();
  assert.deepEqual(
    urls.map(({ part, direct }) => [part, direct]),
    [
      [0, false],
      [2, false],
    ],
  );
  assert.deepEqual(stored, [{ part: 1, sha256: digests[1] }]);
  const { pathname, search } = new URL(urls[0]?.url ?? '');
  const sent = await callWith(server, {})('PUT', pathname + search, { body: cutPart(bytes, upload, 0) });
  assert.equal(sent.status, 201, sent.body.toString());
});

test('direct: without a bucket, confirm compares with what is recorded', async () => {
  const { upload, bytes } = await openSample(call, 3);
  await put(call, upload, 1, bytes);
  const [one, two] = [1, 2].map((idx) => sha256Hex(cutPart(bytes, upload, idx)));
  const claims = [
    { part: 1, etag: 'any', sha256: one },
    { part: 1, etag: 'any', sha256: two },
    { part: 2, etag: 'any', sha256: two },
  ];
  const answer = await call('POST', `/uploads/${upload.upload_id}/parts/confirm`, { json: claims });
  assert.deepEqual(answer.json<ConfirmedParts>().parts, [
    { part: 1, outcome: 'deduplicated', sha256: one },
    { part: 1, outcome: 'conflict', sha256: one },
    { part: 2, outcome: 'missing', sha256: null },
  ]);
});

test('direct: only the owner signs and confirms, and each part once', async () => {
  const { upload, bytes } = await openSample(call, 3);
  const path = `/uploads/${upload.upload_id}`;
  const digest = sha256Hex(cutPart(bytes, upload, 0));
  const claim = { json: [{ part: 0, etag: 'any', sha256: digest }] };
  assertFailure(await callAs(server)('POST', `${path}/parts/confirm`, claim), 'upload_not_found');
  const reader = callAs(server, { scope: 'files:read' });
  assertFailure(await reader('POST', `${path}/parts/confirm`, claim), 'forbidden');
  const bad = [
    { parts: [[0, 1]], sha256: [digest] },
    {
      parts: [
        [0, 0],
        [0, 0],
      ],
      sha256: [digest, digest],
    },
    { parts: [[0, 0]], sha256: ['x'] },
    { parts: [[0, 0]], sha256: [] },
  ];
  for (const json of bad) assertFailure(await call('POST', `${path}/sign`, { json }), 'invalid_request');
  await call('DELETE', path);
  assertFailure(await call('POST', `${path}/parts/confirm`, claim), 'upload_closed');
});
