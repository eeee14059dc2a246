/** TIFF, BigTIFF and EER files: the server walks through them, and refuses what is not whole. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { FileRecord, Limits, Statistics, Tiff, UploadRecord } from '@cryolift/protocol/messages';
import { decodePng } from '../../../packages/mrc/src/pictures/test-png.ts';
import { eerImage, eerMetadata, greyImage, type Image, writeTiff } from '../../../packages/mrc/src/tiff/test-tiff.ts';
import { startServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { complete, eventually, open, publish, put, putAll, readUploadRecord } from '../upload.ts';
import { type Call, callAs } from '../wire.ts';
import { getPicture } from './pictures.ts';

const server = await startServer();
after(() => server.discard());

function makeMovie(frames = 4): Buffer {
  const how = { width: 300, height: 200, isLzw: true, rowsPerStrip: 50 } as const;
  const images = Array.from({ length: frames }, (_, frame) => greyImage(how, (x, y) => ((x * y) % 17) + frame));
  return Buffer.from(writeTiff(images));
}

function makeEer(frames = 5): Buffer {
  const metadata = eerMetadata({ commercialName: 'Falcon 4i', numberOfFrames: '5', 'sensorPixelSize.width': '1e-10' });
  const electrons = Array.from({ length: 500 }, (_, at) => ({ x: (at * 37) % 512, y: at }));
  const images = Array.from({ length: frames }, (_, frame): Image => {
    const tags = frame === 0 ? [metadata] : [];
    return eerImage({ width: 512, height: 512, compression: 65_001, tags }, electrons);
  });
  return Buffer.from(writeTiff(images, { isBig: true }));
}

/** The reasons of a refusal at complete. */
async function refuse(filename: string, bytes: Buffer, sub: string): Promise<string> {
  const call = callAs(server, { sub });
  const upload = await open(call, { filename, size: bytes.length });
  await putAll(call, upload, bytes);
  const { message } = assertFailure(await complete(call, upload), 'invalid_tiff');
  const { status, failure } = (await readUploadRecord(call, upload)) as UploadRecord;
  assert.deepEqual([status, failure?.code], ['failed', 'invalid_tiff']);
  return message;
}

test('TIFF: the types that microscopes write are accepted without a setting', async () => {
  const { accepted_types } = (await callAs(server)('GET', '/limits')).json<Limits>();
  assert.deepEqual(accepted_types, ['mdoc', 'eer', 'tif', 'tiff', 'gain', 'dm4', 'xml']);
});

test('TIFF: the record of a movie has its structure', async () => {
  const call = callAs(server, { sub: 'movie' });
  const bytes = makeMovie();
  const { file_id, warnings } = await publish(call, bytes, { filename: 'movie.tiff' });
  const { tiff, mrc } = (await call('GET', `/files/${file_id}`)).json<FileRecord>();
  assert.deepEqual([mrc, warnings], [null, []]);
  const { format, kind, width, height, frames, bits, compression, blocks } = tiff as Tiff;
  assert.deepEqual([format, kind, width, height, frames, bits, blocks], ['tiff', 'stack', 300, 200, 4, 8, 16]);
  assert.deepEqual(compression, { code: 5, name: 'LZW' });
});

test('EER: the record has the frames and the metadata, and a warning when frames are missing', async () => {
  const call = callAs(server, { sub: 'eer' });
  const whole = await publish(call, makeEer(), { filename: 'a.eer' });
  assert.deepEqual([whole.tiff?.format, whole.tiff?.frames, whole.tiff?.pixel_size], ['eer', 5, 1]);
  assert.equal(whole.tiff?.eer?.camera, 'Falcon 4i');
  assert.deepEqual(whole.warnings, []);
  const short = await publish(call, makeEer(3), { filename: 'b.eer' });
  assert.deepEqual(
    short.warnings.map(({ code }) => code),
    ['frames_differ'],
  );
});

test('TIFF: a file that is cut off is refused when it is complete, in words', async () => {
  const movie = makeMovie();
  assert.match(await refuse('cut.tif', movie.subarray(0, movie.length - 10), 'cut'), /A directory should be at byte/);
  const eer = makeEer();
  assert.match(await refuse('cut.eer', eer.subarray(0, eer.length - 100), 'cut-eer'), /its end is missing/);
});

test('TIFF: a file of another format is refused before its bytes are sent, and by its first part', async () => {
  const call = callAs(server, { sub: 'other' });
  const bytes = Buffer.alloc(5_000, 'no movie. ');
  const header = bytes.subarray(0, 1_024).toString('base64');
  const json = { filename: 'a.eer', size: bytes.length, header };
  const { details } = assertFailure(await call('POST', '/uploads/init', { json }), 'invalid_tiff');
  assert.deepEqual(
    (details as { reasons: { code: string }[] }).reasons.map(({ code }) => code),
    ['not_tiff'],
  );
  const upload = await open(call, { filename: 'a.eer', size: bytes.length });
  assertFailure(await put(call, upload, 0, bytes), 'invalid_tiff');
  assert.equal((await readUploadRecord(call, upload)).status, 'failed');
  assertFailure(await call('POST', '/uploads/init', { json: { filename: 'empty.tif', size: 0 } }), 'invalid_tiff');
});

test('TIFF: with force a broken file is kept, and its faults are warnings', async () => {
  const call = callAs(server, { sub: 'force' });
  const movie = makeMovie();
  const { warnings, tiff } = await publish(call, movie.subarray(0, movie.length - 10), {
    filename: 'cut.tif',
    force: true,
  });
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['directory_beyond_file'],
  );
  assert.equal(tiff?.frames, 3);
});

test('gain references: TIFF files are walked, and others are kept as they are', async () => {
  const call = callAs(server, { sub: 'gain' });
  const image = greyImage({ width: 64, height: 64, bits: 32, format: 'float' }, () => 1.01);
  const gain = await publish(call, Buffer.from(writeTiff([image])), { filename: 'a.gain' });
  assert.deepEqual([gain.tiff?.kind, gain.tiff?.sample_format], ['image', 'float']);
  const other = await publish(call, Buffer.from('DM4'), { filename: 'b.gain' });
  assert.equal(other.tiff, undefined);
});

async function statisticsOf(call: Call, file: FileRecord): Promise<Statistics> {
  const answer = await eventually(
    () => call('GET', `/files/${file.file_id}/statistics`),
    ({ status }) => status !== 503,
  );
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.json<Statistics>();
}

test('TIFF: a movie has statistics, and pictures with its first row on top', async () => {
  const call = callAs(server, { sub: 'pictures' });
  const file = await publish(call, makeMovie(), { filename: 'movie.tif' });
  const { min, max, count, sections } = await statisticsOf(call, file);
  assert.deepEqual([min, max, count, sections?.mean.length], [0, 19, 4 * 300 * 200, 4]);
  const show = async (query: string) => await getPicture(call, `/files/${file.file_id}/preview${query}`);
  for (const query of ['', '?kind=section&slice=3', '?kind=spectrum', '?kind=montage']) {
    const { status, headers, body } = await show(query);
    assert.deepEqual([status, headers['content-type']], [200, 'image/png'], body.toString());
  }
  assert.equal((await show('?kind=section&slice=4')).status, 400);
  // The upper half is dark.
  const how = { width: 128, height: 128, isLzw: true } as const;
  const half = Buffer.from(writeTiff([greyImage(how, (_, y) => (y < 64 ? 0 : 200))]));
  const image = await publish(call, half, { filename: 'half.tif' });
  const { gray, widthPx } = decodePng((await getPicture(call, `/files/${image.file_id}/preview?size=128`)).body);
  assert.ok((gray[widthPx * 10 + 64] as number) < (gray[widthPx * 120 + 64] as number));
});

test('EER: a movie has the picture of its sum, and the electrons of each frame', async () => {
  const call = callAs(server, { sub: 'eer-pictures' });
  const file = await publish(call, makeEer(), { filename: 'sum.eer' });
  const { sections, dose_per_frame: dose, min, max } = await statisticsOf(call, file);
  assert.deepEqual([min, max, sections?.mean.length], [0, 5, 5]);
  assert.equal(dose?.per_pixel, Number((500 / 512 ** 2).toPrecision(7)));
  const { status, body } = await getPicture(call, `/files/${file.file_id}/preview`);
  assert.equal(status, 200, body.toString());
});

test('TIFF: damaged data are a warning, and there is no picture', async () => {
  const call = callAs(server, { sub: 'damage' });
  const image = greyImage({ width: 64, height: 64, isLzw: true }, (x, y) => x * y);
  const [block] = image.blocks as [Uint8Array];
  const broken = { ...image, blocks: [block.map((byte, at) => (at > 9 ? byte ^ 0x5a : byte))] };
  const file = await publish(call, Buffer.from(writeTiff([broken])), { filename: 'bad.tif' });
  const { warnings } = await eventually(
    async () => (await call('GET', `/files/${file.file_id}`)).json<FileRecord>(),
    (record) => record.warnings.length > 0,
  );
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['data_damaged'],
  );
  assertFailure(await getPicture(call, `/files/${file.file_id}/preview`), 'not_found');
  assertFailure(await call('GET', `/files/${file.file_id}/statistics`), 'not_found');
});
