import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHeader } from '../header/header.ts';
import { buildHeader, type HeaderFields } from '../header/writer.ts';
import { compareStatistics } from './compare.ts';
import type { VoxelStatistics } from './statistics.ts';

const FOUND: VoxelStatistics = {
  count: 1000,
  min: -2.5,
  max: 7.1,
  mean: 1.5,
  sd: 0.8,
  nan: 0,
  inf: 0,
  hot: 0,
  histogram: null,
};
const RIGHT = { dmin: -2.5, dmax: 7.1, dmean: 1.5, rms: 0.8 };

function codes(fields: Partial<HeaderFields>, found: Partial<VoxelStatistics> = {}): string[] {
  const header = parseHeader(buildHeader({ nx: 10, ny: 10, nz: 10, mode: 2, ...fields }));
  return compareStatistics(header, { ...FOUND, ...found }).map(({ code }) => code);
}

test('compareStatistics: a header that agrees to 1 % and to float32 gives no finding', () => {
  assert.deepEqual(codes(RIGHT), []);
  assert.deepEqual(codes({ ...RIGHT, dmean: 1.514, rms: 0.807 }), []);
  assert.deepEqual(codes({ ...RIGHT, dmean: 0.005 }, { mean: 0 }), []);
});

test('compareStatistics: every wrong number is named in one finding', () => {
  for (const wrong of [{ dmin: -2.6 }, { dmax: 7.2 }, { dmean: 1.6 }, { rms: 0.9 }]) {
    assert.deepEqual(codes({ ...RIGHT, ...wrong }), ['statistics_mismatch'], JSON.stringify(wrong));
  }
  const header = parseHeader(buildHeader({ nx: 10, ny: 10, nz: 10, mode: 2, ...RIGHT, dmax: 9, rms: 2 }));
  const [{ message = '' } = {}] = compareStatistics(header, FOUND);
  assert.match(message, /the maximum is 7\.1, the header says 9; the RMS is 0\.8, the header says 2\./);
});

test('compareStatistics: undetermined statistics are not compared', () => {
  assert.deepEqual(codes({ dmin: 0, dmax: -1, dmean: -2, rms: -1 }), []);
  assert.deepEqual(codes({ ...RIGHT, rms: Number.NaN }), []);
  // MotionCor2 writes 0 and computes none.
  assert.deepEqual(codes({ ...RIGHT, rms: 0 }), []);
});

test('compareStatistics: constant data and values that are not finite are reported', () => {
  const constant = { min: 4, max: 4, mean: 4, sd: 0 };
  assert.deepEqual(codes({ dmin: 4, dmax: 4, dmean: 4, rms: 0 }, constant), ['constant_data']);
  assert.deepEqual(codes({}, { ...constant, count: 1 }), []);
  assert.deepEqual(codes(RIGHT, { nan: 3 }), ['not_finite']);
  const nothing = { count: 0, min: null, max: null, mean: null, sd: null };
  assert.deepEqual(codes(RIGHT, { ...nothing, nan: 999, inf: 1 }), ['not_finite']);
});
