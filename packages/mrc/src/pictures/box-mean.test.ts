import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BoxMean, binFactor, shrink } from './box-mean.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

test('binFactor: the long side fits', () => {
  assert.deepEqual(
    [1, 512, 513, 1024, 1025, 2 ** 31].map((long) => binFactor(long, 512)),
    [1, 1, 2, 2, 3, 2 ** 22],
  );
});

test('BoxMean: a pixel is the mean of the finite voxels in its box, also in partial boxes', () => {
  const raster = { widthPx: 3, heightPx: 3, values: Float32Array.of(1, 3, nan, 5, inf, nan, 7, -inf, 2) };
  const { widthPx, heightPx, values } = shrink(raster, 2);
  assert.deepEqual([widthPx, heightPx, ...values], [2, 2, 3, nan, 7, 2]);
  assert.equal(shrink(raster, 3), raster);
});

test('BoxMean: the order and the length of runs do not matter', () => {
  const shape = fc.record({ width: fc.integer({ min: 1, max: 20 }), height: fc.integer({ min: 1, max: 9 }) });
  fc.assert(
    fc.property(shape, fc.integer({ min: 1, max: 7 }), fc.array(fc.nat(19)), ({ width, height }, factor, cuts) => {
      const values = Float32Array.from({ length: width * height }, (_, i) => (i * i) % 97);
      const mean = new BoxMean(width, height, factor);
      const ends = [...new Set([0, ...cuts.filter((cut) => cut < width), width])].sort((a, b) => a - b);
      for (let y = height - 1; y >= 0; y--) {
        ends.slice(1).forEach((end, i) => {
          mean.addRun(y, ends[i]!, values, y * width + ends[i]!, y * width + end);
        });
      }
      const { widthPx, heightPx, values: means } = mean.raster();
      assert.deepEqual([widthPx, heightPx], [Math.ceil(width / factor), Math.ceil(height / factor)]);
      means.forEach((found, box) => {
        const [left, top] = [(box % widthPx) * factor, Math.floor(box / widthPx) * factor];
        const held = values.filter((_, i) => {
          const [x, y] = [i % width, Math.floor(i / width)];
          return x >= left && x < left + factor && y >= top && y < top + factor;
        });
        assert.equal(found, Math.fround(held.reduce((sum, value) => sum + value, 0) / held.length));
      });
    }),
    { numRuns: 60 },
  );
});
