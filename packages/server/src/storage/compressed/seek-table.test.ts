import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BytesDamaged } from '../errors.ts';
import { makeBytes } from '../test-storage.ts';
import { decodeRange, readSeekTable } from './decoding.ts';
import { compressFrames, FRAME_BYTES } from './frames.ts';
import { FOOTER_BYTES, parseSeekTable, printSeekTable, SeekTable, tableBytes } from './seek-table.ts';

const lengths = fc.record({
  storedBytes: fc.integer({ min: 1, max: 2 ** 21 }),
  bytes: fc.integer({ min: 1, max: 2 ** 21 }),
});

test('seek table: every byte is found in the frame that has it, after printing and parsing', () => {
  fc.assert(
    fc.property(fc.array(lengths, { minLength: 1, maxLength: 50 }), fc.nat(), (frames, seed) => {
      const printed = printSeekTable(frames);
      assert.equal(tableBytes(printed.subarray(-FOOTER_BYTES)), printed.length);
      const storedBytes = frames.reduce((sum, frame) => sum + frame.storedBytes, 0);
      const table = parseSeekTable(printed, storedBytes + printed.length);
      assert.ok(table);
      assert.equal(parseSeekTable(printed, storedBytes + printed.length + 1), null, 'other bytes than it says');
      const at = seed % table.sizeBytes;
      const { first, last, start, end } = table.find(at, at);
      assert.equal(first, last);
      const before = frames.slice(0, first);
      const offset = before.reduce((sum, { bytes }) => sum + bytes, 0);
      assert.ok(at >= offset && at < offset + (frames[first]?.bytes ?? 0));
      assert.equal(
        start,
        before.reduce((sum, frame) => sum + frame.storedBytes, 0),
      );
      assert.equal(end - start + 1, frames[first]?.storedBytes);
    }),
  );
});

test('seek table: entries with checksums, as other programs write them, are read', () => {
  const plain = printSeekTable([{ storedBytes: 5, bytes: 9 }]);
  const checked = Buffer.concat([plain.subarray(0, 16), Buffer.alloc(4), plain.subarray(16)]);
  checked.writeUInt32LE(checked.length - 8, 4);
  checked.writeUInt8(0x80, checked.length - 5);
  assert.equal(tableBytes(checked.subarray(-FOOTER_BYTES)), checked.length);
  assert.deepEqual(parseSeekTable(checked, 5 + checked.length)?.lengthOf(0), { storedBytes: 5, bytes: 9 });
});

test('seek table: bytes without one, or with a wrong one, are damaged', async () => {
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(100), Buffer.concat([Buffer.alloc(20), printSeekTable([])])]) {
    await assert.rejects(
      readSeekTable(async (offset, length) => bytes.subarray(offset, offset + length), bytes.length),
      BytesDamaged,
    );
  }
  assert.equal(new SeekTable([]).sizeBytes, 0);
});

test('frames: one turned bit anywhere is found, or changes nothing of what is decoded', async () => {
  const original = makeBytes(FRAME_BYTES + 5_000).map((byte) => byte & 3);
  const pieces: Buffer[] = [];
  const source = (async function* () {
    yield Buffer.from(original);
  })();
  for await (const piece of compressFrames(source, new AbortController().signal)) pieces.push(piece);
  const stored = Buffer.concat(pieces);
  const decode = async (bytes: Buffer) => {
    const table = await readSeekTable(async (offset, length) => bytes.subarray(offset, offset + length), bytes.length);
    const decoded: Buffer[] = [];
    const range = { start: 0, end: table.sizeBytes - 1 };
    const open = async ({ start, end }: { start: number; end: number }) =>
      (async function* () {
        yield bytes.subarray(start, end + 1);
      })();
    for await (const piece of decodeRange(table, range, open)) decoded.push(piece);
    return Buffer.concat(decoded);
  };
  assert.ok((await decode(stored)).equals(original));
  const step = Math.floor(stored.length / 60);
  const places = [
    ...Array.from({ length: 60 }, (_, n) => n * step),
    ...[1, 2, 5, 9, 13, 17, 20].map((n) => stored.length - n),
  ];
  for (const at of places) {
    const turned = Buffer.from(stored);
    turned[at] = (turned[at] as number) ^ 4;
    const outcome = await decode(turned).catch((error: unknown) => error);
    if (Buffer.isBuffer(outcome)) assert.ok(outcome.equals(original), `byte ${at}`);
    else assert.ok(outcome instanceof BytesDamaged, `byte ${at}: ${outcome}`);
  }
});
