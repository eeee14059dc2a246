/** What the server sees in MRC files: pictures, statistics, warnings; and what a later step reports back. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import type { FileRecord, Session, Statistics } from '@cryolift/protocol/messages';
import { startServer } from '../server-under-test.ts';
import { EventStream, type Told } from './event-stream.ts';
import { assertFailure } from './failure.ts';
import { makeMrc } from './sample.ts';
import { complete, open, PART_BYTES, publish, put } from './upload.ts';
import { type Answer, type Call, callAs } from './wire.ts';

const server = await startServer({ CRYOLIFT_ACCEPT: 'txt' });
after(() => server.discard());

const [NX, NY, NZ] = [160, 120, 40];

/** A volume whose voxels are x + 2 y + 3 z, so that every section looks otherwise. */
function makeVolume(fields: Parameters<typeof buildHeader>[0] | object = {}): Buffer {
  const voxels = new Float32Array(NX * NY * NZ);
  let at = 0;
  for (let z = 0; z < NZ; z++)
    for (let y = 0; y < NY; y++) for (let x = 0; x < NX; x++) voxels[at++] = x + 2 * y + 3 * z;
  const header = buildHeader({ nx: NX, ny: NY, nz: NZ, mode: 2, ispg: 1, m: [NX, NY, NZ], ...fields });
  return Buffer.concat([header, new Uint8Array(voxels.buffer)]);
}

/** Width and height from a PNG's head. */
function sizeOf({ body, headers, status }: Answer): [number, number] {
  assert.equal(status, 200, body.toString().slice(0, 300));
  assert.equal(headers['content-type'], 'image/png');
  assert.equal(body.subarray(0, 8).toString('latin1'), '\x89PNG\r\n\x1a\n');
  return [body.readUInt32BE(16), body.readUInt32BE(20)];
}

async function statisticsOf(call: Call, file: FileRecord): Promise<Statistics> {
  for (;;) {
    const answer = await call('GET', `/files/${file.file_id}/statistics`);
    if (answer.status === 503) continue;
    assert.equal(answer.status, 200, answer.body.toString());
    return answer.json<Statistics>();
  }
}

test('statistics of a published file are exact, and agree with a right header without a warning', async () => {
  const call = callAs(server);
  const [dmax, dmean] = [NX - 1 + 2 * (NY - 1) + 3 * (NZ - 1), (NX - 1) / 2 + (NY - 1) + (3 * (NZ - 1)) / 2];
  const variance = (n: number) => (n * n - 1) / 12;
  const sd = Math.sqrt(variance(NX) + 4 * variance(NY) + 9 * variance(NZ));
  const file = await publish(call, makeVolume({ dmin: 0, dmax, dmean, rms: sd }), { filename: 'right.mrc' });
  const statistics = await statisticsOf(call, file);
  assert.equal(statistics.count, NX * NY * NZ);
  assert.deepEqual([statistics.min, statistics.max, statistics.nan, statistics.inf], [0, dmax, 0, 0]);
  assert.ok(Math.abs((statistics.mean ?? 0) / dmean - 1) < 1e-9, String(statistics.mean));
  assert.ok(Math.abs((statistics.sd ?? 0) / sd - 1) < 1e-9, String(statistics.sd));
  const { edges = [], counts = [] } = statistics.histogram ?? {};
  assert.equal(edges.length, counts.length + 1);
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    statistics.count,
  );
  assert.deepEqual((await call('GET', `/files/${file.file_id}`)).json<FileRecord>().warnings, []);
});

test('data that belie the header, or are constant, or not finite, are warned of', async () => {
  const call = callAs(server);
  const codesOf = async (bytes: Buffer) => {
    const file = await publish(call, bytes);
    await statisticsOf(call, file);
    return (await call('GET', `/files/${file.file_id}`)).json<FileRecord>().warnings.map(({ code }) => code);
  };
  assert.deepEqual(await codesOf(makeVolume({ dmin: 0, dmax: 5, dmean: 2, rms: 1 })), ['statistics_mismatch']);
  const constant = buildHeader({ nx: 64, ny: 64, nz: 1, mode: 2 });
  assert.deepEqual(await codesOf(Buffer.concat([constant, new Uint8Array(4 * 64 * 64)])), ['constant_data']);
  const odd = makeVolume();
  odd.writeFloatLE(Number.NaN, 1024);
  odd.writeFloatLE(Number.POSITIVE_INFINITY, 1028);
  assert.deepEqual(await codesOf(odd), ['not_finite']);
});

test('pictures of every kind and size, with an ETag that saves sending them again', async () => {
  const call = callAs(server);
  const { file_id } = await publish(call, makeVolume());
  const get = (query: string, headers = {}) => call('GET', `/files/${file_id}/preview${query}`, { headers });
  assert.deepEqual(sizeOf(await get('')), [NX, NY]);
  assert.deepEqual(sizeOf(await get('?axis=y')), [NX, NZ]);
  assert.deepEqual(sizeOf(await get('?axis=x')), [NY, NZ]);
  assert.deepEqual(sizeOf(await get('?size=80')), [80, 60]);
  assert.deepEqual(sizeOf(await get('?kind=average&contrast=percentile')), [NX, NY]);
  assert.ok(sizeOf(await get('?kind=montage&size=512'))[0] <= 512);
  const spectrum = sizeOf(await get('?kind=spectrum'));
  assert.equal(spectrum[0], spectrum[1]);

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

test('what cannot be shown is refused with a reason', async () => {
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
  ]) {
    assertFailure(await call('GET', `/files/${file_id}/preview?${query}`), 'invalid_request');
  }
  assertFailure(await callAs(server)('GET', `/files/${file_id}/preview`), 'file_not_found');
  const text = await publish(call, Buffer.from('no picture'), { filename: 'a.txt' });
  assertFailure(await call('GET', `/files/${text.file_id}/preview`), 'not_found');
  assertFailure(await call('GET', `/files/${text.file_id}/statistics`), 'not_found');
  const forced = await publish(call, Buffer.from('this is no MRC file'), { filename: 'forced.mrc', force: true });
  assertFailure(await call('GET', `/files/${forced.file_id}/preview`), 'not_found');
  assertFailure(await call('GET', `/files/${forced.file_id}/statistics`), 'not_found');
});

test('the central section is shown as soon as its parts are there, and that is told', async () => {
  const call = callAs(server, { sub: 'early' });
  const bytes = makeVolume();
  const session = await open(call, { size: bytes.length });
  const get = (query: string) => call('GET', `/uploads/${session.upload_id}/preview${query}`);
  assertFailure(await get(''), 'not_found');
  await put(call, session, 0, bytes);
  const sectionBytes = 4 * NX * NY;
  const start = 1024 + (NZ / 2) * sectionBytes;
  const needed = [Math.floor(start / PART_BYTES), Math.floor((start + sectionBytes - 1) / PART_BYTES)] as const;
  const { details } = assertFailure(await get(''), 'upload_incomplete');
  assert.deepEqual(details, { missing_parts: [needed] });

  for (let idx = needed[0]; idx <= needed[1]; idx++) await put(call, session, idx, bytes);
  const early = await get('');
  assert.deepEqual(sizeOf(early), [NX, NY]);
  assert.deepEqual((await call('GET', `/uploads/${session.upload_id}`)).json<Session>().status, 'uploading');
  assertFailure(await get('?slice=0'), 'upload_incomplete');
  assertFailure(await get('?axis=x'), 'upload_incomplete');
  assertFailure(await get(`?slice=${NZ}`), 'invalid_request');
  assertFailure(
    await callAs(server, { sub: 'else' })('GET', `/uploads/${session.upload_id}/preview`),
    'upload_not_found',
  );

  for (let idx = 0; idx < session.part_count; idx++) await put(call, session, idx, bytes);
  const file = (await complete(call, session)).json<FileRecord>();
  const late = await call('GET', `/files/${file.file_id}/preview`);
  assert.deepEqual(late.body, early.body, 'the section of the upload is the one of the file');
  assert.deepEqual((await get('')).body, early.body);

  await statisticsOf(call, file);
  const told = await readKept('early', 'cryolift.file.preview_ready');
  const shown = told.find(({ type }) => type === 'cryolift.upload.preview_ready');
  assert.equal(shown?.data.previews[0]?.url, `/uploads/${session.upload_id}/preview?axis=z&slice=${NZ / 2}`);
  const ready = told.find(({ type }) => type === 'cryolift.file.preview_ready');
  assert.equal(ready?.data.statistics?.count, NX * NY * NZ);
  assert.equal(ready?.data.previews.length, 3);
  for (const { url } of ready?.data.previews ?? []) sizeOf(await call('GET', url));
});

interface Shown {
  readonly statistics?: Statistics;
  readonly previews: { readonly url: string }[];
}

/** The kept events of an owner, up to the first of this type. */
async function readKept(sub: string, type: string): Promise<Told<Shown>[]> {
  const stream = await EventStream.open<Shown>(server, '/events', { sub }, '0');
  const told: Told<Shown>[] = [];
  while (told.at(-1)?.type !== type) told.push((await stream.next()) as Told<Shown>);
  await stream.close();
  return told;
}

test('previews: uploads:write alone shows no published file, and reads no record by changing one', async () => {
  const call = callAs(server, { sub: 'instrument' });
  const bytes = makeVolume();
  const session = await open(call, { size: bytes.length, metadata: { grid: '7' } });
  for (let idx = 0; idx < session.part_count; idx++) await put(call, session, idx, bytes);
  const writer = callAs(server, { sub: 'instrument', scope: 'uploads:write' });
  const preview = `/uploads/${session.upload_id}/preview`;
  sizeOf(await writer('GET', preview));
  const { file_id } = (await complete(call, session)).json<FileRecord>();
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

test('a survey that a kill -9 cut off is made after the restart', async () => {
  const own = await startServer();
  try {
    const file = await publish(callAs(own, { sub: 'ada' }), makeVolume());
    await own.kill9();
    await own.restart();
    const call = callAs(own, { sub: 'ada' });
    assert.equal((await statisticsOf(call, file)).count, NX * NY * NZ);
  } finally {
    await own.discard();
  }
});

test('metadata is merged, bounded, and told; nothing else of a file changes', async () => {
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
  const told = await readKept('worker', 'cryolift.file.updated');
  assert.equal(told.at(-1)?.type, 'cryolift.file.updated');
  await Promise.all(Array.from({ length: 8 }, (_, at) => patch({ [`step${at}`]: 'done' })));
  const { metadata } = (await call('GET', `/files/${file.file_id}`)).json<FileRecord>();
  assert.equal(Object.keys(metadata).length, 10, 'none of eight changes at once is lost');
});

/** A cube as RELION writes volumes: ISPG 0, MZ as large as NZ. */
function makeCube(): Buffer {
  const edge = 48;
  const header = buildHeader({
    nx: edge,
    ny: edge,
    nz: edge,
    mode: 2,
    m: [edge, edge, edge],
    cella: [edge, edge, edge],
  });
  const voxels = new Float32Array(edge ** 3).map((_, at) => (at % edge) + Math.floor(at / edge ** 2));
  return Buffer.concat([header, new Uint8Array(voxels.buffer)]);
}

test('a volume whose ISPG says images is shown as a volume, and the record says why', async () => {
  const call = callAs(server);
  const file = await publish(call, makeCube(), { filename: 'run_class001.mrc' });
  assert.deepEqual([file.mrc?.kind, file.mrc?.kind_evidence?.code], ['volume', 'dimensions']);
  const get = async (query = '') => (await call('GET', `/files/${file.file_id}/preview${query}`)).body;
  assert.deepEqual(await get(), await get('?kind=section&axis=z'));
});

test('the kind that the metadata give decides the picture, at init and when it is changed', async () => {
  const call = callAs(server);
  const bytes = makeCube();
  const header = bytes.subarray(0, 1024).toString('base64');
  const session = await open(call, { size: bytes.length, header, metadata: { kind: 'stack' } });
  assert.deepEqual([session.mrc?.kind, session.mrc?.kind_evidence?.code], ['stack', 'given']);

  const file = await publish(call, bytes, { metadata: { kind: 'stack' } });
  const get = async (query = '') => (await call('GET', `/files/${file.file_id}/preview${query}`)).body;
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
  assert.match(mrc?.kind_evidence?.message ?? '', /the kind in the metadata is none of image, stack, volume/);
});

/** Signed bytes about 0, and a header that does not say what they are. */
function makeSignedBytes(): Buffer {
  const header = buildHeader({ nx: 256, ny: 256, nz: 3, mode: 0, dmin: 0, dmax: 0, dmean: 0, rms: 0, nversion: 0 });
  const voxels = new Int8Array(256 * 256 * 3).map((_, at) => (at % 41) - 20);
  return Buffer.concat([header, new Uint8Array(voxels.buffer)]);
}

test('bytes of mode 0 are read as the voxels suggest, or as the metadata say, also later', async () => {
  const call = callAs(server);
  const file = await publish(call, makeSignedBytes(), { filename: 'bytes.st' });
  const get = () => call('GET', `/files/${file.file_id}/preview`);
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
    ['survey', 'survey'],
  );

  assert.equal((await change(null)).status, 200);
  assert.equal((await statisticsOf(call, file)).min, -20);
  assert.deepEqual((await get()).body, signed.body);
});

test('a warning that the voxels gave goes when they are read otherwise', async () => {
  const call = callAs(server);
  const bytes = makeSignedBytes();
  bytes.writeFloatLE(0, 76);
  bytes.writeFloatLE(255, 80);
  bytes.writeFloatLE(125, 84);
  const file = await publish(call, bytes, { filename: 'bytes.st', metadata: { mode0: 'signed' } });
  const codes = async () => {
    await statisticsOf(call, file);
    return (await call('GET', `/files/${file.file_id}`)).json<FileRecord>().warnings.map(({ code }) => code);
  };
  assert.deepEqual(await codes(), ['statistics_mismatch']);
  await call('PATCH', `/files/${file.file_id}`, { json: { metadata: { mode0: 'unsigned' } } });
  assert.deepEqual(await codes(), []);
});

test('zeros in the place of statistics give no warning', async () => {
  const call = callAs(server);
  const file = await publish(call, makeVolume({ dmin: 0, dmax: 0, dmean: 0, rms: 0 }));
  await statisticsOf(call, file);
  const { warnings, mrc } = (await call('GET', `/files/${file.file_id}`)).json<FileRecord>();
  assert.deepEqual([warnings, mrc?.stats], [[], null]);
});
