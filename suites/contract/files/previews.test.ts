/** Pictures of MRC files and of uploads. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { FileRecord, UploadRecord } from '@cryolift/protocol/messages';
import { assertFailure } from '../failure.ts';
import { complete, open, PART_BYTES, publish, put } from '../upload.ts';
import { callAs } from '../wire.ts';
import { makeCube, makeVolume, NX, NY, NZ, readKept, server, statisticsOf } from './mrc-files.ts';
import { getPicture, sizeOf } from './pictures.ts';

after(() => server.discard());

test('previews: every kind and size, with an ETag that saves sending them again', async () => {
  const call = callAs(server);
  const { file_id } = await publish(call, makeVolume());
  const get = (query: string, headers = {}) => getPicture(call, `/files/${file_id}/preview${query}`, headers);
  assert.deepEqual(sizeOf(await get('')), [NX, NY]);
  assert.deepEqual(sizeOf(await get('?axis=y')), [NX, NZ]);
  assert.deepEqual(sizeOf(await get('?axis=x')), [NY, NZ]);
  assert.deepEqual(sizeOf(await get('?size=80')), [80, 60]);
  assert.deepEqual(sizeOf(await get('?kind=average&contrast=percentile')), [NX, NY]);
  assert.ok(sizeOf(await get('?kind=montage&size=512'))[0] <= 512);
  assert.ok(sizeOf(await get('?kind=montage&size=512&contrast=cell'))[0] <= 512);
  // A spectrum and plots have the size that is asked for.
  assert.deepEqual(sizeOf(await get('?kind=spectrum&size=300')), [300, 300]);
  assert.deepEqual(sizeOf(await get('?kind=profile&size=600')), [600, 300]);
  assert.deepEqual(sizeOf(await get('?kind=means')), [512, 256]);
  const spectra = await Promise.all(['', '&range=full', '&slice=3'].map((more) => get(`?kind=spectrum${more}`)));
  for (const drawn of spectra) assert.deepEqual(sizeOf(drawn), [512, 512]);
  assert.equal(new Set(spectra.map(({ headers }) => headers.etag)).size, 3);

  const first = await get('?slice=0');
  const last = await get(`?slice=${NZ - 1}`);
  assert.notEqual(first.headers.etag, last.headers.etag);
  const again = await get('?slice=0', { 'if-none-match': first.headers.etag });
  assert.equal(again.status, 304);
  assert.equal(again.body.length, 0);
  assert.match(again.headers.etag ?? '', /^"[^"]+"$/);
  assert.deepEqual(sizeOf(await get(`?slice=${NZ - 1}`, { 'if-none-match': first.headers.etag })), [NX, NY]);

  const drawn = first.headers['last-modified'] ?? '';
  const earlier = new Date(Date.parse(drawn) - 1000).toUTCString();
  assert.equal((await get('?slice=0', { 'if-modified-since': drawn })).status, 304);
  assert.deepEqual(sizeOf(await get('?slice=0', { 'if-modified-since': earlier })), [NX, NY]);
  assert.deepEqual(sizeOf(await get('?slice=0', { 'if-match': first.headers.etag })), [NX, NY]);
  assertFailure(await get('?slice=0', { 'if-match': last.headers.etag }), 'precondition_failed');
  assertFailure(await get('?slice=0', { 'if-unmodified-since': earlier }), 'precondition_failed');
});

test('previews: a region, a slab, a low-pass and percentiles, each a picture of its own', async () => {
  const call = callAs(server);
  const { file_id } = await publish(call, makeVolume());
  const get = (query: string) => getPicture(call, `/files/${file_id}/preview?${query}`);
  const [whole, ...others] = await Promise.all(
    [
      '',
      'region=10,20,30,25',
      'slab=5',
      'lowpass=12.5',
      'low=2&high=98',
      'low=2',
      'high=98',
      'slab=5&lowpass=12.5',
    ].map((query) => get(`${query}&size=512`.replace(/^&/, ''))),
  );
  assert.ok(whole);
  assert.deepEqual(sizeOf(whole), [NX, NY]);
  const [region, ...same] = others;
  assert.ok(region);
  assert.deepEqual(sizeOf(region), [30, 25]);
  for (const drawn of same) assert.deepEqual(sizeOf(drawn), [NX, NY]);
  assert.equal(new Set([whole, ...others].map(({ headers }) => headers.etag)).size, 8);
  assert.equal(new Set([whole, ...others].map(({ body }) => body.toString('base64'))).size, 8);
  assert.deepEqual((await get('slab=1')).body, (await get('kind=section')).body);
  assert.deepEqual(sizeOf(await get(`axis=x&region=0,0,${NY},${NZ}`)), [NY, NZ]);
  assert.deepEqual(sizeOf(await get('kind=average&region=0,0,8,9&lowpass=20')), [8, 9]);
});

test('previews: a slab of an upload needs the parts of its sections', async () => {
  const call = callAs(server, { sub: 'slab' });
  const bytes = makeVolume();
  const upload = await open(call, { size: bytes.length });
  const sectionBytes = 4 * NX * NY;
  const last = Math.floor((1024 + 4 * sectionBytes - 1) / PART_BYTES);
  for (let idx = 0; idx <= last; idx++) await put(call, upload, idx, bytes);
  const get = (query: string) => getPicture(call, `/uploads/${upload.upload_id}/preview?${query}`);
  assert.deepEqual(sizeOf(await get('slice=1&slab=3')), [NX, NY]);
  const { details } = assertFailure(await get('slice=5&slab=5'), 'upload_incomplete');
  const needed = Math.floor((1024 + 8 * sectionBytes - 1) / PART_BYTES);
  assert.deepEqual(details, { missing_parts: [[last + 1, needed]] });
});

test('previews: what cannot be shown is refused with a reason', async () => {
  const call = callAs(server);
  const { file_id } = await publish(call, makeVolume());
  for (const query of [
    'slice=40',
    'slice=-1',
    'slice=1.5',
    'axis=w',
    'size=4',
    'size=5000',
    'kind=film',
    'contrast=no',
    'range=half',
    'kind=spectrum&slice=40',
    'low=50&high=50',
    'low=-1',
    'high=101',
    'low=99.95',
    'low=1&contrast=sigma',
    'kind=means&low=1',
    'region=0,0,10',
    'region=0,0,10,-1',
    'region=0,0,0,10',
    `region=${NX - 9},0,10,10`,
    'kind=montage&region=0,0,10,10',
    'slab=0',
    'slab=201',
    'kind=average&slab=3',
    'lowpass=0',
    'lowpass=inf',
    'kind=spectrum&lowpass=10',
  ]) {
    assertFailure(await getPicture(call, `/files/${file_id}/preview?${query}`), 'invalid_request');
  }
  assertFailure(await callAs(server)('GET', `/files/${file_id}/preview`), 'file_not_found');
  const text = await publish(call, Buffer.from('no picture'), { filename: 'a.txt' });
  assertFailure(await getPicture(call, `/files/${text.file_id}/preview`), 'not_found');
  assertFailure(await call('GET', `/files/${text.file_id}/statistics`), 'not_found');
  const forced = await publish(call, Buffer.from('this is no MRC file'), { filename: 'forced.mrc', force: true });
  assertFailure(await getPicture(call, `/files/${forced.file_id}/preview`), 'not_found');
  assertFailure(await call('GET', `/files/${forced.file_id}/statistics`), 'not_found');
});

test('previews: the central section is shown as soon as its parts are stored, and an event says so', async () => {
  const call = callAs(server, { sub: 'early' });
  const bytes = makeVolume();
  const upload = await open(call, { size: bytes.length });
  const get = (query: string) => getPicture(call, `/uploads/${upload.upload_id}/preview${query}`);
  assertFailure(await get(''), 'not_found');
  await put(call, upload, 0, bytes);
  const sectionBytes = 4 * NX * NY;
  const start = 1024 + (NZ / 2) * sectionBytes;
  const needed = [Math.floor(start / PART_BYTES), Math.floor((start + sectionBytes - 1) / PART_BYTES)] as const;
  const { details } = assertFailure(await get(''), 'upload_incomplete');
  assert.deepEqual(details, { missing_parts: [needed] });

  for (let idx = needed[0]; idx <= needed[1]; idx++) await put(call, upload, idx, bytes);
  const early = await get('');
  assert.deepEqual(sizeOf(early), [NX, NY]);
  assert.deepEqual((await call('GET', `/uploads/${upload.upload_id}`)).json<UploadRecord>().status, 'uploading');
  assertFailure(await get('?slice=0'), 'upload_incomplete');
  assertFailure(await get('?axis=x'), 'upload_incomplete');
  assertFailure(await get(`?slice=${NZ}`), 'invalid_request');
  assertFailure(
    await callAs(server, { sub: 'else' })('GET', `/uploads/${upload.upload_id}/preview`),
    'upload_not_found',
  );

  for (let idx = 0; idx < upload.part_count; idx++) await put(call, upload, idx, bytes);
  const file = (await complete(call, upload)).json<FileRecord>();
  const late = await getPicture(call, `/files/${file.file_id}/preview`);
  assert.deepEqual(late.body, early.body, 'the section of the upload is the one of the file');
  assert.deepEqual((await get('')).body, early.body);

  await statisticsOf(call, file);
  const received = await readKept('early', 'cryolift.file.preview_ready');
  const shown = received.find(({ type }) => type === 'cryolift.upload.preview_ready');
  assert.equal(shown?.data.previews[0]?.url, `/uploads/${upload.upload_id}/preview?axis=z&slice=${NZ / 2}`);
  const ready = received.find(({ type }) => type === 'cryolift.file.preview_ready');
  assert.equal(ready?.data.statistics?.count, NX * NY * NZ);
  assert.equal(ready?.data.previews.length, 3);
  for (const { url } of ready?.data.previews ?? []) sizeOf(await getPicture(call, url));
  const stored = readdirSync(join(server.dataDir, 'previews', file.file_id));
  assert.equal(stored.filter((name) => name.includes('-256-')).length, 1, `of lists: ${stored}`);
});

test('previews: uploads:write alone shows no published file, and reads no record by changing one', async () => {
  const call = callAs(server, { sub: 'instrument' });
  const bytes = makeVolume();
  const upload = await open(call, { size: bytes.length, metadata: { grid: '7' } });
  for (let idx = 0; idx < upload.part_count; idx++) await put(call, upload, idx, bytes);
  const writer = callAs(server, { sub: 'instrument', scope: 'uploads:write' });
  const preview = `/uploads/${upload.upload_id}/preview`;
  sizeOf(await writer('GET', preview));
  const { file_id } = (await complete(call, upload)).json<FileRecord>();
  assertFailure(await writer('GET', preview), 'forbidden');
  assertFailure(await writer('GET', `/files/${file_id}/preview`), 'forbidden');
  const change = { json: { metadata: { cells: '12' } } };
  assertFailure(await writer('PATCH', `/files/${file_id}`, change), 'forbidden');
  const both = callAs(server, { sub: 'instrument', scope: 'uploads:write files:read' });
  assert.deepEqual((await both('PATCH', `/files/${file_id}`, change)).json<FileRecord>().metadata, {
    grid: '7',
    cells: '12',
  });
  assertFailure(
    await callAs(server, { sub: 'instrument', scope: 'files:read' })('PATCH', `/files/${file_id}`, change),
    'forbidden',
  );
});

test('previews: a volume whose ISPG says images is shown as a volume, and the record says why', async () => {
  const call = callAs(server);
  const file = await publish(call, makeCube(), { filename: 'run_class001.mrc' });
  assert.deepEqual([file.mrc?.kind, file.mrc?.kind_evidence?.code], ['volume', 'dimensions']);
  const get = async (query = '') => (await getPicture(call, `/files/${file.file_id}/preview${query}`)).body;
  assert.deepEqual(await get(), await get('?kind=section&axis=z'));
});
