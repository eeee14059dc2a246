import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constants, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { buildHeader } from '../header/writer.ts';
import { generateMrc, type MrcContent, openContent } from './content.ts';

const header = buildHeader({ nx: 100, ny: 100, nz: 10, mode: 1 });
const content: MrcContent = { header, sizeBytes: 1024 + 100 * 100 * 10 * 2, seed: 7 };
const whole = openContent(content)(0, content.sizeBytes);

test('generateMrc: the file begins with the header and has the given size', () => {
  assert.deepEqual(whole.subarray(0, 1024), header);
  assert.equal(whole.length, content.sizeBytes);
});

test('generateMrc: the chunk size does not change the file, and openContent reads the same bytes', () => {
  const place = fc.nat(content.sizeBytes);
  fc.assert(
    fc.property(fc.integer({ min: 777, max: 99_999 }), place, place, (chunkBytes, one, other) => {
      const chunks = [...generateMrc(content, chunkBytes)];
      assert.ok(chunks.slice(0, -1).every((chunk) => chunk.length === chunkBytes));
      assert.ok(Buffer.concat(chunks).equals(whole));
      const [start, end] = [Math.min(one, other), Math.max(one, other)];
      assert.ok(Buffer.from(openContent(content)(start, end)).equals(whole.subarray(start, end)));
    }),
    { numRuns: 30 },
  );
});

test('openContent: a range is cut at the end of the file', () => {
  const read = openContent(content);
  assert.equal(read(content.sizeBytes - 5, content.sizeBytes + 5).length, 5);
  assert.equal(read(content.sizeBytes + 5, content.sizeBytes + 9).length, 0);
  assert.deepEqual(openContent({ ...content, sizeBytes: 10 })(0, 100), header.subarray(0, 10));
});

test('openContent: all pages differ, also terabytes apart, and another seed gives other bytes', () => {
  const sizeBytes = 16 * 2 ** 40;
  const pages = [1, 17, 2 ** 20 + 1, 2 ** 31 + 1, 2 ** 32 - 15].map((page) => page * 4096);
  const found = new Set<string>();
  for (const seed of [1, 2]) {
    const read = openContent({ ...content, sizeBytes, seed });
    for (const start of pages) found.add(Buffer.from(read(start, start + 4096)).toString('base64'));
  }
  assert.equal(found.size, 10);
});

test('generateMrc: a compressor with a large window cannot shrink it', () => {
  const sizeBytes = 4 * 2 ** 20;
  const bytes = openContent({ ...content, sizeBytes })(0, sizeBytes);
  const params = {
    [constants.ZSTD_c_enableLongDistanceMatching]: 1,
    [constants.ZSTD_c_windowLog]: 23,
  };
  assert.ok(zstdCompressSync(bytes, { params }).length > 0.995 * sizeBytes);
});
