import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHeader } from '../header/header.ts';
import { HEADER_BYTES } from '../header/layout.ts';
import { randomNumbers, sourceOf } from '../samples/test-phantom.ts';
import { decodeVoxels, layoutOf } from '../voxels/voxels.ts';
import { openTiff } from './decoded.ts';
import { LzwDecoder } from './lzw.ts';
import {
  type EerFrame,
  type Electron,
  eerImage,
  encodeLzw,
  type Format,
  type Grey,
  greyImage,
  type Image,
  writeTiff,
} from './test-tiff.ts';

const [WIDTH, HEIGHT, FRAMES] = [75, 41, 3];

async function decode(bytes: Uint8Array) {
  const decoded = await openTiff(sourceOf(bytes), bytes.length);
  assert.ok(decoded);
  const file = new Uint8Array(decoded.sizeBytes);
  // In pieces that do not end with rows.
  for (let at = 0; at < file.length; at += 1_000) await decoded.source.read(at, file.subarray(at, at + 1_000));
  const header = parseHeader(file, file.length);
  const layout = layoutOf(header, file.length, decoded.overrides);
  assert.ok(layout);
  const values = new Float32Array(header.nx * header.ny * header.nz);
  decodeVoxels(layout, file.subarray(HEADER_BYTES), values);
  return { decoded, header, layout, values };
}

const worth = (x: number, y: number, frame: number) => ((x * 7 + y * 13) % 101) + frame;

const PIXELS: readonly Partial<Grey>[] = [
  { bits: 8 },
  { bits: 8, format: 'signed' },
  { bits: 16 },
  { bits: 16, format: 'signed' },
  { bits: 32 },
  { bits: 32, format: 'signed' },
  { bits: 32, format: 'float' },
  { bits: 64, format: 'float' },
];
const LAYOUTS: readonly Partial<Grey>[] = [{ rowsPerStrip: 8 }, { rowsPerStrip: HEIGHT }, { tile: [16, 32] }];
const CODINGS: readonly Partial<Grey>[] = [{}, { isLzw: true }, { isLzw: true, hasPredictor: true }];
const FORMATS: readonly Format[] = [{}, { isBig: true, byteOrder: 'big' }];

for (const pixels of PIXELS) {
  const { bits, format = 'unsigned' } = pixels;
  test(`decoded TIFF: pixels of ${bits} bits (${format}) in strips and tiles, plain and with LZW`, async () => {
    const isSigned = format !== 'unsigned';
    for (const how of LAYOUTS) {
      for (const coding of CODINGS) {
        if (coding.hasPredictor && (format === 'float' || bits === 64)) continue;
        for (const kind of FORMATS) {
          const grey = { width: WIDTH, height: HEIGHT, ...pixels, ...how, ...coding, ...kind };
          const shift = isSigned ? -50 : 0;
          const images = Array.from({ length: FRAMES }, (_, frame) =>
            greyImage(grey, (x, y) => worth(x, y, frame) + shift),
          );
          const { header, layout, values } = await decode(writeTiff(images, kind));
          assert.deepEqual([header.nx, header.ny, header.nz], [WIDTH, HEIGHT, FRAMES]);
          assert.equal(layout.isFlipped, true);
          const expected = Float32Array.from(values, (_, at) => {
            const [x, y] = [at % WIDTH, Math.floor(at / WIDTH) % HEIGHT];
            return worth(x, y, Math.floor(at / WIDTH / HEIGHT)) + shift;
          });
          assert.deepEqual(values, expected, JSON.stringify(grey));
        }
      }
    }
  });
}

test('LZW: data of any kind come back, in pieces of any size', () => {
  const random = randomNumbers(3);
  for (const make of [
    () => random() * 256,
    () => 0,
    (at: number) => at >> 6,
    (at: number) => (at % 300 < 150 ? 7 : random() * 3),
  ]) {
    const data = Uint8Array.from({ length: 40_000 }, (_, at) => make(at));
    const coded = encodeLzw(data);
    const decoder = new LzwDecoder();
    const found = new Uint8Array(data.length);
    let [from, to] = [0, 0];
    while (to < found.length) {
      const input = coded.subarray(from, from + 1 + Math.floor(random() * 50));
      const { used, written } = decoder.decode(input, found.subarray(to, to + 1 + Math.floor(random() * 3_000)));
      assert.ok(used + written > 0);
      from += used;
      to += written;
    }
    assert.deepEqual(found, data);
  }
});

test('decoded TIFF: damaged LZW data are said with their strip and frame', async () => {
  const image = greyImage({ width: 64, height: 64, isLzw: true, rowsPerStrip: 32 }, (x, y) => x * y);
  const [first, second] = image.blocks as [Uint8Array, Uint8Array];
  const short: Image = { ...image, blocks: [first, encodeLzw(new Uint8Array(100))] };
  await assert.rejects(decode(writeTiff([image, short])), /Strip 2 of frame 2 is damaged: its data end before/);
  const broken = second.map((byte, at) => (at > 5 ? byte ^ 0xff : byte));
  await assert.rejects(decode(writeTiff([{ ...image, blocks: [first, broken] }])), /Strip 2 of frame 1 is damaged/);
  const old = second.map((byte, at) => [0, 1][at] ?? byte);
  await assert.rejects(decode(writeTiff([{ ...image, blocks: [old, second] }])), /before TIFF 6.0/);
});

const CODES: readonly Omit<EerFrame, 'width' | 'height'>[] = [
  { compression: 65_000 },
  { compression: 65_001 },
  { compression: 65_001, strips: 3 },
  { compression: 65_002, bits: [9, 1, 3] },
  { compression: 65_002, bits: [5, 0, 0], strips: 2 },
];

for (const code of CODES) {
  test(`EER: electrons are where they were, ${JSON.stringify(code)}`, async () => {
    const [width, height] = [2_048, 1_040];
    const random = randomNumbers(5);
    const place = () => ({ x: Math.floor(random() * width), y: Math.floor(random() * height) });
    const ends: Electron[] = [
      { x: 0, y: 0 },
      { x: width - 1, y: height - 1, subX: 1, subY: 1 },
    ];
    // Runs of each length around the greatest one, too.
    const runs = Array.from({ length: 1_200 }, (_, at) => ({ x: at % 3, y: 3 + Math.floor(at / 2) }));
    const near = [126, 127, 128, 254, 255, 256, 381, 510, 511].map((x, at) => ({ x: x + 300, y: 700 + at }));
    const sets = [[...ends, ...near, { x: 299, y: 700 }], runs, Array.from({ length: 3_000 }, place), []];
    const frames = sets.map((set) => new Map(set.map((one) => [one.y * width + one.x, one])));
    const images = frames.map((set) => eerImage({ width, height, ...code }, [...set.values()]));
    const { decoded, header, values } = await decode(writeTiff(images, { isBig: true }));
    assert.deepEqual([header.nx, header.ny, header.nz], [1_024, 520, 1]);
    const expected = new Float32Array(values.length);
    for (const set of frames) {
      for (const { x, y } of set.values()) {
        const at = (y >> 1) * 1_024 + (x >> 1);
        expected[at] = (expected[at] as number) + 1;
      }
    }
    assert.deepEqual(values, expected);
    assert.deepEqual(
      decoded.frames?.mean.map((mean) => Math.round((mean ?? 0) * width * height)),
      frames.map((set) => set.size),
    );
    assert.deepEqual(decoded.findings, []);
  });
}

test('EER: frames whose data are cut are said', async () => {
  const image = eerImage({ width: 256, height: 256, compression: 65_001 }, [{ x: 9, y: 200 }]);
  const cut = { ...image, blocks: [(image.blocks[0] as Uint8Array).subarray(0, 40)] };
  const { decoded } = await decode(writeTiff([image, cut, image]));
  assert.deepEqual(decoded.findings, [
    { code: 'data_damaged', message: 'The data of 1 of 3 frames end before the last pixel.' },
  ]);
});
