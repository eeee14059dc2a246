/** Files that are no MRC files are refused early, in words that help; odd ones that can be read pass. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import type { FileRecord, InitRequest, UploadRecord } from '@cryolift/protocol/messages';
import { findServer } from '../../server-under-test.ts';
import { assertEnvelope, assertFailure } from '../failure.ts';
import { makeMrc, sha256Hex } from '../sample.ts';
import {
  complete,
  eventually,
  initRequest,
  listFiles,
  open,
  PART_BYTES,
  publish,
  put,
  putAll,
  readUploadRecord,
} from '../upload.ts';
import { callAs } from '../wire.ts';

const server = await findServer();
after(() => server.discard());

const EMD_3001 = await readFile(new URL('../../../packages/mrc/fixtures/EMD-3001.map', import.meta.url));

/** 1 KiB cut off the end of what the header promises. */
function makeTruncated(): Buffer {
  return makeMrc(2 * PART_BYTES).subarray(0, 2 * PART_BYTES - 1024);
}

function makeVolume(fields: Partial<Parameters<typeof buildHeader>[0]>, extraBytes = 0): Buffer {
  const header = buildHeader({ nx: 64, ny: 32, nz: 8, mode: 1, ...fields });
  return Buffer.concat([header, randomBytes(64 * 32 * 8 * 2 + extraBytes)]);
}

function headerOf(bytes: Buffer): string {
  return bytes.subarray(0, 1024).toString('base64');
}

const BAD: Readonly<Record<string, Buffer>> = {
  'cut off': makeTruncated(),
  text: Buffer.from('HEADER    ELECTRON MICROSCOPY\n'.repeat(300)),
  zeros: Buffer.alloc(20_000),
  noise: Buffer.concat([Buffer.alloc(16, 0xff), randomBytes(20_000)]),
  'a TIFF': Buffer.concat([Buffer.from('II*\0'), randomBytes(20_000)]),
  'an extended header that was never written': makeVolume({ nsymbt: 49_920 }),
  'an unknown mode': makeVolume({ mode: 99 }),
  'no sections': makeVolume({ nz: 0 }),
};

/** What `details.reasons` must have: text for a person, not only a code. */
function assertReasons(reasons: unknown): void {
  assert.ok(Array.isArray(reasons) && reasons.length > 0, 'reasons are listed');
  for (const reason of reasons as unknown[]) {
    const text = typeof reason === 'string' ? reason : (reason as { message: string }).message;
    assert.match(text, /\w+ \w+ \w+ \w+/);
  }
}

for (const [what, bytes] of Object.entries(BAD)) {
  test(`${what}: refused at init when its header is sent`, async () => {
    const call = callAs(server);
    const request = initRequest({ size: bytes.length, header: headerOf(bytes) });
    const envelope = assertFailure(await call('POST', '/uploads/init', { json: request }), 'invalid_mrc');
    assertReasons(envelope.details?.reasons);
    assert.deepEqual((await call('GET', '/uploads')).json(), { items: [], next_cursor: null });
  });

  test(`${what}: refused at part 0 when it is not`, async () => {
    const call = callAs(server);
    const upload = await open(call, { size: bytes.length });
    const envelope = assertFailure(await put(call, upload, 0, bytes), 'invalid_mrc');
    assertReasons(envelope.details?.reasons);
    const failed = await readUploadRecord(call, upload);
    assert.equal(failed.status, 'failed');
    assert.ok(failed.failure);
    assertEnvelope(failed.failure);
    assert.equal(failed.failure.code, 'invalid_mrc');
    assertReasons(failed.failure.details?.reasons);
    assertFailure(await complete(call, upload), 'upload_closed', 'invalid_mrc');
    assert.deepEqual(await listFiles(call), []);
  });

  test(`${what}: stored with force, and warned of`, async () => {
    const call = callAs(server);
    const file = await publish(call, bytes, { force: true });
    assert.equal(file.sha256, sha256Hex(bytes));
    assert.ok(file.warnings.length > 0);
    const request = initRequest({ size: bytes.length, header: headerOf(bytes), force: true });
    const upload = (await call('POST', '/uploads/init', { json: request })).json<UploadRecord>();
    assert.ok(upload.warnings.length > 0);
    for (const { code, message } of [...file.warnings, ...upload.warnings]) {
      assert.match(code, /^[a-z0-9_]+$/);
      assert.match(message, /\w+ \w+ \w+/);
    }
  });
}

test('mrc: the reason has the number of missing bytes', async () => {
  const bytes = makeTruncated();
  const request = initRequest({ size: bytes.length, header: headerOf(bytes) });
  const { details } = assertFailure(await callAs(server)('POST', '/uploads/init', { json: request }), 'invalid_mrc');
  assert.match(JSON.stringify(details), /\b1[,. \u202f]?024\b/);
});

test('mrc: the header is checked at part 0, also when it arrives last', async () => {
  const call = callAs(server);
  const bytes = makeTruncated();
  const upload = await open(call, { size: bytes.length });
  assert.equal((await put(call, upload, 1, bytes)).status, 201);
  assertFailure(await put(call, upload, 0, bytes), 'invalid_mrc');
});

test('mrc: a header that was sent at init and is not the one of part 0 does not get a bad file through', async () => {
  const call = callAs(server);
  const bytes = makeTruncated();
  const request = initRequest({ size: bytes.length, header: headerOf(makeMrc(bytes.length)) });
  const answer = await call('POST', '/uploads/init', { json: request });
  assert.equal(answer.status, 201);
  assertFailure(await put(call, answer.json<UploadRecord>(), 0, bytes), 'invalid_mrc', 'invalid_request');
});

const GOOD: Readonly<Record<string, Buffer>> = {
  'EMD-3001': EMD_3001,
  'big-endian': makeVolume({ byteOrder: 'big' }),
  'without "MAP "': makeVolume({ map: '\0\0\0\0', machst: [0, 0, 0, 0] }),
  'bytes after the data': makeVolume({}, 100),
  'an extended header of odd length': makeVolume({ nsymbt: 33, exttyp: 'SERI' }, 33),
};

for (const [what, bytes] of Object.entries(GOOD)) {
  test(`${what}: passes, with its header or without`, async () => {
    const call = callAs(server);
    const header: Partial<InitRequest> = { header: headerOf(bytes) };
    for (const fields of [{}, header]) {
      const file = await publish(call, bytes, { filename: 'a.map', ...fields });
      assert.equal(file.sha256, sha256Hex(bytes));
      assert.ok(file.mrc);
    }
  });
}

test('mrc: what the header says is known from init on when it was sent, else from part 0 on', async () => {
  const call = callAs(server);
  const fields = { size: EMD_3001.length, filename: 'EMD-3001.map' };
  const early = await open(call, { ...fields, header: headerOf(EMD_3001) });
  const late = await open(call, fields);
  assert.equal(late.mrc, null);
  await put(call, late, 1, EMD_3001);
  assert.equal((await readUploadRecord(call, late)).mrc, null);
  await put(call, late, 0, EMD_3001);
  assert.deepEqual((await readUploadRecord(call, late)).mrc, early.mrc);
  const { nx, ny, nz, mode, bytes_per_voxel, kind, extended_header, byte_order, expected_size } = early.mrc ?? {};
  assert.deepEqual(
    { nx, ny, nz, mode, bytes_per_voxel, kind, bytes: extended_header?.bytes, byte_order, expected_size },
    {
      nx: 73,
      ny: 43,
      nz: 25,
      mode: 2,
      bytes_per_voxel: 4,
      kind: 'volume',
      bytes: 160,
      byte_order: 'little',
      expected_size: 315_084,
    },
  );
  assert.equal(early.mrc?.voxel_size?.length, 3);
  assert.ok(early.mrc.stats && early.mrc.stats.min <= early.mrc.stats.max);
  assert.ok(early.mrc.labels.every((label) => typeof label === 'string'));
  await putAll(call, late, EMD_3001);
  const file = (await complete(call, late)).json<FileRecord>();
  // The extended header is read after publication, which may be before or after the answer of complete.
  const { symmetry: _, ...published } = file.mrc ?? {};
  assert.deepEqual(published, early.mrc);
  const readMrc = async () => (await call('GET', `/files/${file.file_id}`)).json<FileRecord>().mrc;
  const whole = await eventually(readMrc, (mrc) => mrc?.symmetry !== undefined);
  assert.deepEqual(whole, { ...early.mrc, symmetry: ['X,  Y,  Z', '-X,  Y+1/2,  -Z'] });
});

test('mrc: a missing "MAP " and trailing bytes are warned of; a sound file is not', async () => {
  const call = callAs(server);
  for (const what of ['without "MAP "', 'bytes after the data']) {
    const bytes = GOOD[what] as Buffer;
    assert.ok((await open(call, { size: bytes.length, header: headerOf(bytes) })).warnings.length > 0, what);
  }
  const sound = makeVolume({});
  assert.deepEqual((await open(call, { size: sound.length, header: headerOf(sound) })).warnings, []);
});

test('mrc: every ending of MRC files is checked, in any case', async () => {
  const call = callAs(server);
  const bytes = BAD.text as Buffer;
  for (const ending of ['mrc', 'mrcs', 'map', 'ccp4', 'rec', 'st', 'ali', 'preali', 'MRC', 'Rec']) {
    const request = initRequest({ filename: `x.${ending}`, size: bytes.length, header: headerOf(bytes) });
    assertFailure(await call('POST', '/uploads/init', { json: request }), 'invalid_mrc');
  }
});

test('mrc: what cannot be a header is refused as a request', async () => {
  const call = callAs(server);
  for (const header of ['not base64!', 'AAA', headerOf(EMD_3001).slice(0, 400), 'A'.repeat(200_000)]) {
    const answer = await call('POST', '/uploads/init', { json: initRequest({ header }) });
    assertFailure(answer, 'invalid_request', 'invalid_mrc');
  }
});
