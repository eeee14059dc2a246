import assert from 'node:assert/strict';
import { test } from 'node:test';
import { histogramPath } from './histogram.ts';

/** The left edge, the height and the width of each bar. */
function barsOf(path: string): number[][] {
  return [...path.matchAll(/M([\d.]+) 64v-([\d.]+)h([\d.]+)v\2z/g)].map(([, ...numbers]) => numbers.map(Number));
}

test('histogram: bars cover the whole width, and heights are square roots of the counts', () => {
  assert.deepEqual(barsOf(histogramPath([0, 1, 2, 3, 4], [16, 4, 1, 0])), [
    [0, 64, 64],
    [64, 32, 64],
    [128, 16, 64],
    [192, 0, 64],
  ]);
});

test('histogram: a wide bin with the same count is lower', () => {
  assert.deepEqual(barsOf(histogramPath([-1, 0, 7], [8, 8])), [
    [0, 64, 32],
    [32, 24.19, 224],
  ]);
});

test('histogram: a bin without width has no height', () => {
  assert.deepEqual(barsOf(histogramPath([0, 0, 1], [100, 1])), [
    [0, 0, 0],
    [0, 64, 256],
  ]);
});
