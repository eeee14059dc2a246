import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findLimits, toGray } from './contrast.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

function gray(values: number[], limits: { black: number; white: number }): number[] {
  return [...toGray({ widthPx: values.length, heightPx: 1, values: Float32Array.from(values) }, limits)];
}

test('contrast: sigma is three standard deviations around the mean of the finite values', () => {
  assert.deepEqual(findLimits(Float32Array.of(nan, 2, 4, inf, 4, 4, 5, 5, 7, 9), 'sigma'), { black: -1, white: 11 });
});

test('contrast: percentile is 0.1 and 99.9 of the finite values', () => {
  const values = Float32Array.from({ length: 3000 }, (_, i) => (i * 7) % 3000).fill(nan, 0, 1);
  assert.deepEqual(findLimits(values, 'percentile'), { black: 3, white: 2997 });
});

test('toGray: values are scaled and clipped, and NaN is black', () => {
  assert.deepEqual(gray([-5, 0, 1, 2, 3, nan, inf, -inf], { black: 0, white: 2 }), [0, 0, 128, 255, 255, 0, 255, 0]);
});

test('toGray: an image without contrast is mid grey, one without finite values black', () => {
  for (const contrast of ['sigma', 'percentile'] as const) {
    assert.deepEqual(gray([7, nan, 7], findLimits(Float32Array.of(7, nan, 7), contrast)), [128, 0, 128]);
    assert.deepEqual(gray([nan, nan], findLimits(Float32Array.of(nan, nan), contrast)), [0, 0]);
  }
});
