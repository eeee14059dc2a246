/** When parts are compressed. The clock and the link are set by the tests. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PartEncoder } from '../ports.ts';
import { PartEncoding } from './part-encoding.ts';

const MIB = 1024 * 1024;
/** A sample is a MiB in four pieces. */
const SAMPLE = Array<number>(4).fill(MIB / 4);
const part = { body: new Uint8Array(8 * MIB) };

/** An encoder of a given speed, bytes per second, and ratio. */
class TestEncoder implements PartEncoder {
  readonly coding = 'zstd';
  speed: number;
  ratio: number;
  nowMs = 0;
  readonly lengths: number[] = [];

  constructor(speed: number, ratio: number) {
    this.speed = speed;
    this.ratio = ratio;
  }

  async encode(bytes: Uint8Array) {
    this.lengths.push(bytes.length);
    this.nowMs += (bytes.length * 1000) / this.speed;
    return new Uint8Array(Math.round(bytes.length / this.ratio));
  }
}

function open(encoder: TestEncoder, linkRate: () => number | null, name = 'movie.mrc'): PartEncoding {
  return new PartEncoding(encoder, name, linkRate, () => encoder.nowMs);
}

/** @returns how many of so many parts were compressed. */
async function countEncoded(encoding: PartEncoding, parts: number): Promise<number> {
  let encoded = 0;
  for (let n = 0; n < parts; n++) if (await encoding.encode(part)) encoded++;
  return encoded;
}

test('encoding: parts are compressed when they shrink and the link is slow, after one sample', async () => {
  const encoder = new TestEncoder(400 * MIB, 4);
  const encoding = open(encoder, () => 12 * MIB);
  assert.deepEqual(await encoding.encode(part), { coding: 'zstd', bytes: new Uint8Array(2 * MIB) });
  assert.equal(await countEncoded(encoding, 200), 200);
  assert.deepEqual(encoder.lengths.slice(0, 6), [...SAMPLE, 8 * MIB, 8 * MIB]);
});

test('encoding: nothing is compressed before the link is measured, and over a fast link', async () => {
  const encoder = new TestEncoder(400 * MIB, 4);
  assert.equal(
    await countEncoded(
      open(encoder, () => null),
      20,
    ),
    0,
  );
  assert.deepEqual(encoder.lengths, []);
  assert.equal(
    await countEncoded(
      open(encoder, () => 600 * MIB),
      16,
    ),
    0,
  );
  assert.deepEqual(encoder.lengths, SAMPLE, 'one sample');
});

test('encoding: what does not shrink is sampled now and then', async () => {
  const encoder = new TestEncoder(400 * MIB, 1.1);
  const encoding = open(encoder, () => 12 * MIB);
  assert.equal(await countEncoded(encoding, 34), 0);
  assert.deepEqual(encoder.lengths, [...SAMPLE, ...SAMPLE]);
  encoder.ratio = 4;
  assert.ok((await countEncoded(encoding, 34)) > 10);
});

test('encoding: it follows a link that changes', async () => {
  const encoder = new TestEncoder(400 * MIB, 4);
  let linkRate = 12 * MIB;
  const encoding = open(encoder, () => linkRate);
  assert.equal(await countEncoded(encoding, 10), 10);
  linkRate = 900 * MIB;
  assert.equal(await countEncoded(encoding, 10), 0);
  linkRate = 12 * MIB;
  // Sixteen parts go without, ten of them above.
  assert.equal(await countEncoded(encoding, 17), 10);
});

test('encoding: an encoder that was slow for a while is tried again', async () => {
  const encoder = new TestEncoder(2 * MIB, 4);
  const encoding = open(encoder, () => 12 * MIB);
  assert.equal(await countEncoded(encoding, 10), 0);
  encoder.speed = 400 * MIB;
  assert.equal(await countEncoded(encoding, 20), 13);
});

test('encoding: what waited for the processor, a piece of the sample or a part, does not stop it', async () => {
  const encoder = new TestEncoder(400 * MIB, 4);
  const { encode } = encoder;
  let calls = 0;
  encoder.encode = async (bytes) => {
    // The first piece, and every second part.
    encoder.speed = calls++ % 6 === 0 ? MIB : 400 * MIB;
    return await encode.call(encoder, bytes);
  };
  assert.equal(
    await countEncoded(
      open(encoder, () => 12 * MIB),
      40,
    ),
    40,
  );
});

test('encoding: where the encoder may be the limit, some parts go without to measure the link', async () => {
  const encoder = new TestEncoder(100 * MIB, 4);
  // The link carries compressed parts as fast as they come.
  const encoding = open(encoder, () => 25 * MIB);
  assert.equal(await countEncoded(encoding, 128), 120);
});

test('encoding: files that are compressed, lazy bodies and refused encodings are left alone', async () => {
  const encoder = new TestEncoder(400 * MIB, 4);
  for (const name of ['a.eer', 'b.TIF', 'c.tiff', 'd.mrc.gz', 'e.mrc.zst', 'f.mrc.bz2']) {
    assert.equal(await open(encoder, () => MIB, name).encode(part), null, name);
  }
  const lazy = { length: 8, fill: async () => {}, blob: null };
  const encoding = open(encoder, () => MIB);
  assert.equal(await encoding.encode({ body: lazy }), null);
  assert.ok(await encoding.encode(part));
  encoding.forbid();
  assert.equal(await encoding.encode(part), null);
});
