/** Changes of metadata, and how they change what an MRC file is taken for. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { FileRecord } from '@cryolift/protocol/messages';
import { HAS_LATE_DIGESTS } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { makeMrc } from '../sample.ts';
import { eventually, open, publish } from '../upload.ts';
import { callAs } from '../wire.ts';
import { makeCube, makeSignedBytes, readKept, server, statisticsOf } from './mrc-files.ts';
import { getPicture } from './pictures.ts';

after(() => server.discard());

test('metadata: changes are merged, bounded and published; nothing else of a file changes', async () => {
  const call = callAs(server, { sub: 'worker' });
  const file = await publish(call, makeMrc(2000), { metadata: { grid: '7', draft: 'yes' } });
  const patch = (metadata: unknown, as = call) => as('PATCH', `/files/${file.file_id}`, { json: { metadata } });
  const patched = await patch({ draft: null, cells: '12' });
  assert.equal(patched.status, 200);
  assert.deepEqual(patched.json<FileRecord>(), { ...file, metadata: { grid: '7', cells: '12' } });
  assert.deepEqual((await call('GET', `/files/${file.file_id}`)).json<FileRecord>().metadata, {
    grid: '7',
    cells: '12',
  });
  assertFailure(await patch({ a: 'x'.repeat(5000) }), 'invalid_request');
  assertFailure(
    await patch(Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`k${at}`, '']))),
    'invalid_request',
  );
  assertFailure(await patch({ a: 1 }), 'invalid_request');
  assertFailure(await patch('grid'), 'invalid_request');
  assertFailure(await patch({}, callAs(server, { sub: 'else' })), 'file_not_found');
  assertFailure(await patch({}, callAs(server, { sub: 'worker', scope: 'files:read' })), 'forbidden');
  const received = await readKept('worker', 'cryolift.file.updated');
  assert.equal(received.at(-1)?.type, 'cryolift.file.updated');
  await Promise.all(Array.from({ length: 8 }, (_, at) => patch({ [`step${at}`]: 'done' })));
  const { metadata } = (await call('GET', `/files/${file.file_id}`)).json<FileRecord>();
  assert.equal(Object.keys(metadata).length, 10, 'none of eight changes at once is lost');
});

test('metadata: the kind decides the picture, at init and after a change', async () => {
  const call = callAs(server);
  const bytes = makeCube();
  const header = bytes.subarray(0, 1024).toString('base64');
  const upload = await open(call, { size: bytes.length, header, metadata: { kind: 'stack' } });
  assert.deepEqual([upload.mrc?.kind, upload.mrc?.kind_evidence?.code], ['stack', 'given']);

  const file = await publish(call, bytes, { metadata: { kind: 'stack' } });
  /** 503: the machine is so busy that the picture is still being drawn. */
  const get = async (query = '') =>
    (
      await eventually(
        async () => await getPicture(call, `/files/${file.file_id}/preview${query}`),
        ({ status }) => status !== 503,
      )
    ).body;
  const [montage, section] = [await get('?kind=montage'), await get('?kind=section')];
  assert.equal(file.mrc?.kind, 'stack');
  assert.deepEqual(await get(), montage);

  const change = async (kind: string | null) => {
    const answer = await call('PATCH', `/files/${file.file_id}`, { json: { metadata: { kind } } });
    const { mrc } = answer.json<FileRecord>();
    return [mrc?.kind, mrc?.kind_evidence?.code];
  };
  assert.deepEqual(await change('volume'), ['volume', 'given']);
  assert.deepEqual(await get(), section);
  assert.deepEqual(await change('stack'), ['stack', 'given']);
  assert.deepEqual(await get(), montage);
  assert.deepEqual(await change(null), ['volume', 'dimensions']);
  assert.deepEqual(await change('gain reference'), ['volume', 'dimensions']);
  const { mrc } = (await call('GET', `/files/${file.file_id}`)).json<FileRecord>();
  assert.match(
    mrc?.kind_evidence?.message ?? '',
    /the kind in the metadata is none of image, stack, tilt_series, volume, volume_stack/,
  );
});

test('metadata: mode0 decides how bytes of mode 0 are read, also later', async () => {
  const call = callAs(server);
  const file = await publish(call, makeSignedBytes(), { filename: 'bytes.st' });
  const get = () => getPicture(call, `/files/${file.file_id}/preview`);
  const found = await statisticsOf(call, file);
  assert.deepEqual([found.min, found.max], [-20, 20]);
  assert.deepEqual([found.signedness?.value, found.signedness?.evidence.code], ['signed', 'voxels']);
  const signed = await get();

  const change = (mode0: string | null) => call('PATCH', `/files/${file.file_id}`, { json: { metadata: { mode0 } } });
  assert.equal((await change('unsigned')).status, 200);
  const other = await statisticsOf(call, file);
  assert.deepEqual([other.min, other.max], [0, 255]);
  assert.deepEqual([other.signedness?.value, other.signedness?.evidence.code], ['unsigned', 'given']);
  const unsigned = await get();
  assert.notDeepEqual(unsigned.body, signed.body);
  assert.notEqual(unsigned.headers.etag, signed.headers.etag);
  const { items } = (await call('GET', `/files/${file.file_id}/jobs`)).json<{ items: { kind: string }[] }>();
  assert.deepEqual(
    items.map(({ kind }) => kind),
    [...(HAS_LATE_DIGESTS ? ['digest'] : []), 'survey', 'survey'],
  );

  assert.equal((await change(null)).status, 200);
  assert.equal((await statisticsOf(call, file)).min, -20);
  assert.deepEqual((await get()).body, signed.body);
});
