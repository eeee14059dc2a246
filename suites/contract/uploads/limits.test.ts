/** What a client may plan with, and that it is true. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { FileRecord, Limits } from '@cryolift/protocol/messages';
import { type OwnServer, startServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { sha256Hex } from '../sample.ts';
import { complete, initRequest, open, PART_BYTES, publish } from '../upload.ts';
import { callAs, callWith } from '../wire.ts';

const server: OwnServer = await startServer({
  CRYOLIFT_MAX_FILE_SIZE: '10MiB',
  CRYOLIFT_PART_SIZE: '1MiB',
  CRYOLIFT_ACCEPT: '.tif,.mdoc,.gz',
  CRYOLIFT_SESSION_TTL: '2h',
  CRYOLIFT_BODY_IDLE_TIMEOUT: '45s',
});
after(() => server.discard());
const MIB = 1024 * 1024;
/** What the setting asks for, or the least of the storage. */
const DEFAULT_BYTES = Math.max(MIB, PART_BYTES);

test('limits: are public, and equal the settings', async () => {
  const answer = await callWith(server, {})('GET', '/limits');
  assert.equal(answer.status, 200);
  const limits = answer.json<Limits>();
  assert.ok(limits.min_part_size <= PART_BYTES);
  assert.ok(limits.max_part_size >= MIB);
  for (const type of ['mrc', 'mrcs', 'map', 'ccp4', 'rec', 'st', 'ali', 'preali']) {
    assert.ok(
      limits.mrc_types.some((each) => each.replace('.', '') === type),
      type,
    );
  }
  assert.deepEqual(limits.accepted_types.map((type) => type.replace('.', '')).sort(), ['gz', 'mdoc', 'tif']);
  assert.deepEqual(limits.digest_algorithms, ['sha-256']);
  const { max_file_size, part_size, max_part_count, session_ttl_seconds, body_idle_timeout_seconds } = limits;
  assert.deepEqual(
    { max_file_size, part_size, max_part_count, session_ttl_seconds, body_idle_timeout_seconds },
    {
      max_file_size: 10 * MIB,
      part_size: DEFAULT_BYTES,
      max_part_count: 10_000,
      session_ttl_seconds: 7200,
      body_idle_timeout_seconds: 45,
    },
  );
});

test('limits: a file may be as large as they say and no larger', async () => {
  const call = callAs(server);
  const { part_size, part_count, created_at, expires_at } = await open(call, { size: 10 * MIB, part_size: MIB });
  assert.deepEqual([part_size, part_count], [DEFAULT_BYTES, (10 * MIB) / DEFAULT_BYTES]);
  const lifeMs = Date.parse(expires_at) - Date.parse(created_at);
  assert.equal(Math.round(lifeMs / 60_000), 120);
  for (const size of [10 * MIB + 1, 2 ** 53 - 1]) {
    assertFailure(await call('POST', '/uploads/init', { json: initRequest({ size }) }), 'file_too_large');
  }
});

test('limits: types that the setting names are accepted as they are, all others refused', async () => {
  const call = callAs(server);
  const bytes = Buffer.from('no image at all');
  for (const filename of ['A.MDOC', 'movie.mrc.gz', 'movie.mrc.mdoc']) {
    const file = await publish(call, bytes, { filename });
    assert.deepEqual([file.sha256, file.mrc, file.filename], [sha256Hex(bytes), null, filename]);
  }
  for (const filename of ['a.tiff', 'a.exe', 'mrc', 'tif', 'a.mrc.bz2', 'a.', 'a.mrc ', 'a.tif.zip', 'README']) {
    const answer = await call('POST', '/uploads/init', { json: initRequest({ filename }) });
    assertFailure(answer, 'unsupported_file_type', 'invalid_filename');
  }
});

test('limits: an empty file of a type that is accepted as it is has no parts, and is a file', async () => {
  const call = callAs(server);
  const upload = await open(call, { filename: 'empty.mdoc', size: 0 });
  assert.deepEqual([upload.part_count, upload.missing_parts], [0, []]);
  const done = await complete(call, upload);
  assert.equal(done.status, 200, done.body.toString());
  const { file_id, sha256 } = done.json<FileRecord>();
  assert.equal(sha256, sha256Hex(Buffer.alloc(0)));
  const content = await call('GET', `/files/${file_id}/content`);
  assert.deepEqual([content.status, content.body.length], [200, 0]);
  const ranged = await call('GET', `/files/${file_id}/content`, { headers: { range: 'bytes=0-' } });
  assertFailure(ranged, 'range_not_satisfiable');
});

test('limits: a server that accepts any type accepts names without an extension', async () => {
  const tolerant = await startServer({ CRYOLIFT_ACCEPT: '*' });
  try {
    const call = callAs(tolerant);
    assert.deepEqual((await call('GET', '/limits')).json<Limits>().accepted_types, ['*']);
    const file = await publish(call, Buffer.from('frames'), { filename: 'README' });
    assert.equal(file.filename, 'README');
    // A name of MRC is still checked.
    const answer = await call('POST', '/uploads/init', { json: initRequest({ filename: 'a.mrc', size: 10 }) });
    assertFailure(answer, 'invalid_mrc');
  } finally {
    await tolerant.discard();
  }
});
