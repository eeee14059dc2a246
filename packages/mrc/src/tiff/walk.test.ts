import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceOf } from '../samples/test-phantom.ts';
import {
  eerImage,
  eerMetadata,
  type Format,
  type Grey,
  greyImage,
  type Image,
  type Tag,
  writeTiff,
} from './test-tiff.ts';
import { checkTiff, type TiffCheck } from './walk.ts';

const FORMATS: readonly Format[] = [{}, { byteOrder: 'big' }, { isBig: true }, { isBig: true, byteOrder: 'big' }];

async function check(bytes: Uint8Array): Promise<TiffCheck> {
  return await checkTiff(sourceOf(bytes), bytes.length);
}

function movie(frames: number, how: Partial<Grey> = {}): Image[] {
  return Array.from({ length: frames }, (_, frame) =>
    greyImage({ width: 20, height: 12, rowsPerStrip: 5, ...how }, (x, y) => x + y + frame),
  );
}

async function assertRefused(bytes: Uint8Array, code: string, words: RegExp): Promise<void> {
  const { verdict, rejections } = await check(bytes);
  assert.equal(verdict, 'rejected');
  assert.deepEqual(
    rejections.map((found) => found.code),
    [code],
  );
  assert.match(rejections[0]?.message ?? '', words);
}

for (const format of FORMATS) {
  test(`walk: a movie in ${format.isBig ? 'BigTIFF' : 'TIFF'}, ${format.byteOrder ?? 'little'}-endian`, async () => {
    const images = movie(3, { bits: 16, ...format });
    const { verdict, tiff, warnings } = await check(writeTiff(images, format));
    assert.equal(verdict, 'accepted');
    assert.deepEqual(warnings, []);
    assert.deepEqual(tiff, {
      format: format.isBig ? 'bigtiff' : 'tiff',
      kind: 'stack',
      width: 20,
      height: 12,
      frames: 3,
      other_images: 0,
      bits: 16,
      sample_format: 'unsigned',
      samples: 1,
      compression: { code: 1, name: 'none' },
      layout: 'strips',
      blocks: 9,
      data_bytes: 3 * 20 * 12 * 2,
      byte_order: format.byteOrder ?? 'little',
      pixel_size: null,
      software: null,
      description: null,
      eer: null,
      not_drawn: null,
    });
  });
}

test('walk: pixel size, program and description are read', async () => {
  const tags: Tag[] = [
    { tag: 270, type: 2, values: 'a grid\nof holes' },
    { tag: 282, type: 5, values: [94_339_623] },
    { tag: 296, type: 3, values: [3] },
    { tag: 305, type: 2, values: 'SerialEM' },
  ];
  const { tiff } = await check(writeTiff(movie(1, { tags })));
  assert.equal(tiff?.pixel_size, 1.06);
  assert.equal(tiff?.software, 'SerialEM');
  assert.equal(tiff?.description, 'a grid\nof holes');
  assert.equal(tiff?.kind, 'image');
  // 72 dots per inch are no pixel of a microscope.
  const screen: Tag[] = [{ tag: 282, type: 5, values: [72] }];
  assert.equal((await check(writeTiff(movie(1, { tags: screen })))).tiff?.pixel_size, null);
});

test('walk: tiles, LZW and floating point numbers are named', async () => {
  const how = { isLzw: true, bits: 32, format: 'float', tile: [16, 16] } as const;
  const { tiff } = await check(writeTiff(movie(2, how)));
  assert.deepEqual([tiff?.layout, tiff?.blocks, tiff?.sample_format], ['tiles', 4, 'float']);
  assert.deepEqual(tiff?.compression, { code: 5, name: 'LZW' });
});

test('walk: images of another size are counted apart', async () => {
  const thumbnail = greyImage({ width: 4, height: 4 }, () => 1);
  const { tiff } = await check(writeTiff([...movie(3), thumbnail]));
  assert.deepEqual([tiff?.frames, tiff?.other_images], [3, 1]);
});

test('walk: an EER movie with its metadata', async () => {
  const metadata = eerMetadata({
    commercialName: 'Falcon 4i',
    exposureTime: '3.5',
    meanDoseRate: '8.6',
    totalDose: '30.1',
    numberOfFrames: '40',
    'sensorPixelSize.width': '7.3e-11',
    eerGainReference: '20261130.gain',
    timestamp: '2026-11-30T10:00:00',
  });
  const frame = (tags: readonly Tag[]) =>
    eerImage({ width: 64, height: 64, compression: 65_001, strips: 2, tags }, [{ x: 3, y: 4 }]);
  const sum = greyImage({ width: 64, height: 64, bits: 16 }, () => 0);
  const images = [sum, ...Array.from({ length: 40 }, (_, at) => frame(at === 0 ? [metadata] : []))];
  const { verdict, tiff, warnings } = await check(writeTiff(images, { isBig: true }));
  assert.equal(verdict, 'accepted');
  assert.deepEqual(warnings, []);
  assert.deepEqual([tiff?.format, tiff?.frames, tiff?.other_images, tiff?.kind], ['eer', 40, 1, 'stack']);
  assert.equal(tiff?.pixel_size, 0.73);
  assert.deepEqual(tiff?.eer, {
    bits: [7, 2, 2],
    camera: 'Falcon 4i',
    exposure: 3.5,
    dose_rate: 8.6,
    total_dose: 30.1,
    gain_reference: '20261130.gain',
    taken: '2026-11-30T10:00:00',
  });
  const short = await check(writeTiff(images.slice(0, 31), { isBig: true }));
  assert.deepEqual(
    short.warnings.map(({ code, message }) => [code, message]),
    [['frames_differ', 'The metadata name 40 frames, and the file has 30.']],
  );
});

test('walk: a file that is cut off is refused at every length', async () => {
  for (const format of FORMATS) {
    const bytes = writeTiff(movie(2), format);
    for (let length = 0; length < bytes.length; length++) {
      const { verdict, rejections } = await check(bytes.subarray(0, length));
      assert.equal(verdict, 'rejected', `${length} bytes`);
      assert.equal(rejections.length, 1);
    }
  }
});

test('walk: each fault is said in words', async () => {
  await assertRefused(new Uint8Array(5), 'tiff_too_small', /has 5 bytes; the header of a TIFF file has 8/);
  await assertRefused(new TextEncoder().encode('<html> not a movie'), 'not_tiff', /it begins with "<html> not a mov"/);
  await assertRefused(Uint8Array.from([0, 1, 2, 3, 4, 5, 6, 7]), 'not_tiff', /begins with the bytes 00 01 02 03/);
  await assertRefused(Uint8Array.from([0x1f, 0x8b, 8, ...new Array(20).fill(0)]), 'not_tiff', /compressed with gzip/);
  await assertRefused(writeTiff([]), 'no_directory', /not finished by the program/);
  const whole = writeTiff(movie(2));
  await assertRefused(whole.subarray(0, whole.length - 4), 'directory_beyond_file', /its end is missing/);
  const inData = writeTiff(movie(1), { isBig: true }).subarray(0, 100);
  await assertRefused(inData, 'directory_beyond_file', /should be at byte [\d,]+, but the file has 100/);
  const tags: Tag[] = [{ tag: 273, type: 4, values: [8, 108, 1_000_000] }];
  await assertRefused(
    writeTiff(movie(1, { tags })),
    'data_beyond_file',
    /Strip 3 of image 1 should end at byte 1,000,040/,
  );
  const lacking: Tag[] = [{ tag: 273, type: 4, values: [8] }];
  await assertRefused(writeTiff(movie(1, { tags: lacking })), 'data_missing', /Image 1 needs 3 strips, and has 1/);
  const short: Tag[] = [{ tag: 279, type: 4, values: [100, 99, 40] }];
  await assertRefused(
    writeTiff(movie(1, { tags: short })),
    'data_too_short',
    /Strip 2 of image 1 has 99 bytes.*need 100/,
  );
  const [image] = movie(1) as [Image];
  const flat = { ...image, tags: image.tags.filter(({ tag }) => tag !== 257) };
  await assertRefused(writeTiff([flat]), 'dimensions_missing', /says 20 × 0 pixels/);
});

test('walk: a chain of directories without an end is refused', async () => {
  const bytes = writeTiff(movie(3));
  const view = new DataView(bytes.buffer);
  const first = view.getUint32(4, true);
  const link = (directory: number) => directory + 2 + 12 * view.getUint16(directory, true);
  const second = view.getUint32(link(first), true);
  view.setUint32(link(view.getUint32(link(second), true)), second, true);
  await assertRefused(bytes, 'directory_repeated', new RegExp(`leads back to byte ${second.toLocaleString('en')}:`));
});

test('walk: a chain with more directories than any movie ends', { timeout: 60_000 }, async () => {
  // Each directory is 8 bytes after the one before it, inside its entries.
  const entries = 3;
  const count = 70_000;
  const bytes = new Uint8Array(8 + count * 42 + 100);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x4949, true);
  view.setUint16(2, 42, true);
  view.setUint32(4, 8, true);
  for (let at = 8, made = 0; made < count; made++, at += 42) {
    view.setUint16(at, entries, true);
    [256, 257, 273].forEach((tag, index) => {
      const entry = at + 2 + 12 * index;
      view.setUint16(entry, tag, true);
      view.setUint16(entry + 2, 4, true);
      view.setUint32(entry + 4, 1, true);
      view.setUint32(entry + 8, 1, true);
    });
    view.setUint32(at + 38, made === count - 1 ? 0 : at + 42, true);
  }
  const { verdict, tiff, warnings } = await check(bytes);
  assert.equal(verdict, 'accepted');
  assert.equal(tiff?.frames, 65_536);
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['walk_cut'],
  );
});

test('walk: frames that share their data are said, and are not drawn', async () => {
  const [image] = movie(1, { isLzw: true, rowsPerStrip: 12 }) as [Image];
  const shared: Image = {
    tags: [...image.tags, { tag: 273, type: 4, values: [8] }, { tag: 279, type: 4, values: [700] }],
    blocks: [],
  };
  const { verdict, tiff, warnings } = await check(
    writeTiff([{ ...image, blocks: [new Uint8Array(700)] }, shared, shared, shared]),
  );
  assert.equal(verdict, 'accepted');
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['data_shared'],
  );
  assert.equal(tiff?.not_drawn, 'frames share data');
});
