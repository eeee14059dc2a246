import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statisticsOf, voxelSize } from './meaning.ts';

test('voxel size: CELLA / M without float32 noise', () => {
  assert.deepEqual(voxelSize({ cella: [Math.fround(4341.76), 8, 9], m: [4096, 4, 3] }), [1.06, 2, 3]);
});

test('voxel size: null without x or y, and z is 0 when only z is missing', () => {
  assert.equal(voxelSize({ cella: [0, 8, 9], m: [2, 4, 3] }), null);
  assert.equal(voxelSize({ cella: [4, 8, 9], m: [2, 0, 3] }), null);
  assert.equal(voxelSize({ cella: [4, -8, 9], m: [2, 4, 3] }), null);
  assert.equal(voxelSize({ cella: [Number.NaN, 8, 9], m: [2, 4, 3] }), null);
  assert.deepEqual(voxelSize({ cella: [4, 8, 0], m: [2, 4, 1] }), [2, 2, 0]);
  assert.deepEqual(voxelSize({ cella: [4, 8, 1], m: [2, 4, 0] }), [2, 2, 0]);
});

test('statistics: the sentinels of MRC2014 and values that are not finite are null', () => {
  assert.deepEqual(statisticsOf({ dmin: 0, dmax: -1, dmean: -2, rms: -1 }), {
    min: null,
    max: null,
    mean: null,
    rms: null,
  });
  assert.deepEqual(statisticsOf({ dmin: -3, dmax: 5, dmean: -3, rms: 0 }), { min: -3, max: 5, mean: -3, rms: 0 });
  assert.deepEqual(statisticsOf({ dmin: -3, dmax: 5, dmean: -4, rms: -1 }), { min: -3, max: 5, mean: null, rms: null });
  const infinite = Number.POSITIVE_INFINITY;
  assert.deepEqual(statisticsOf({ dmin: 0, dmax: infinite, dmean: Number.NaN, rms: infinite }), {
    min: null,
    max: null,
    mean: null,
    rms: null,
  });
});

test('statistics: values of programs that compute none are null', () => {
  const none = { min: null, max: null, mean: null, rms: null };
  // cisTEM and Warp leave zeros.
  assert.deepEqual(statisticsOf({ dmin: 0, dmax: 0, dmean: 0, rms: 0 }), none);
  // IMOD and SerialEM begin with the greatest float for the minimum, its negative for the maximum, and 0 for the mean.
  const most = Math.fround(3.4028234e38);
  assert.deepEqual(statisticsOf({ dmin: most, dmax: -most, dmean: 0, rms: -1 }), none);
  assert.deepEqual(statisticsOf({ dmin: 1e38, dmax: -1e38, dmean: 0, rms: 0 }), { ...none, rms: 0 });
  assert.deepEqual(statisticsOf({ dmin: -3, dmax: 5, dmean: 0, rms: 0 }), { min: -3, max: 5, mean: null, rms: 0 });
  assert.deepEqual(statisticsOf({ dmin: -3, dmax: 5, dmean: 0, rms: 2 }), { min: -3, max: 5, mean: 0, rms: 2 });
  assert.deepEqual(statisticsOf({ dmin: 0, dmax: 0, dmean: 0, rms: 2 }), { ...none, rms: 2 });
});
