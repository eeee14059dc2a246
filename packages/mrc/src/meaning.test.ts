import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHeader } from './header.ts';
import { IMOD_STAMP } from './layout.ts';
import { isSigned, kindOf, statisticsOf, voxelSize } from './meaning.ts';
import { buildHeader, type HeaderFields } from './writer.ts';

test('kind: ISPG 401 and up is a stack of volumes, one section an image, then the name, then ISPG', () => {
  assert.equal(kindOf({ nz: 40, ispg: 401 }, 'a.mrcs'), 'volume_stack');
  assert.equal(kindOf({ nz: 40, ispg: 630 }), 'volume_stack');
  assert.equal(kindOf({ nz: 40, ispg: 631 }), 'volume');
  assert.equal(kindOf({ nz: 1, ispg: 1 }, 'a.map'), 'image');
  assert.equal(kindOf({ nz: 40, ispg: 1 }, 'particles.MRCS'), 'stack');
  assert.equal(kindOf({ nz: 40, ispg: 0 }, 'tomogram.rec'), 'volume');
  assert.equal(kindOf({ nz: 40, ispg: 0 }, 'a.mrc'), 'stack');
  assert.equal(kindOf({ nz: 40, ispg: 1 }, 'a.mrc'), 'volume');
  assert.equal(kindOf({ nz: 40, ispg: 4 }), 'volume');
});

test('voxel size is CELLA / M without float32 noise', () => {
  assert.deepEqual(voxelSize({ cella: [Math.fround(4341.76), 8, 9], m: [4096, 4, 3] }), [1.06, 2, 3]);
});

test('voxel size is null when x or y is not given, and z 0 when only z is not', () => {
  assert.equal(voxelSize({ cella: [0, 8, 9], m: [2, 4, 3] }), null);
  assert.equal(voxelSize({ cella: [4, 8, 9], m: [2, 0, 3] }), null);
  assert.equal(voxelSize({ cella: [4, -8, 9], m: [2, 4, 3] }), null);
  assert.equal(voxelSize({ cella: [Number.NaN, 8, 9], m: [2, 4, 3] }), null);
  assert.deepEqual(voxelSize({ cella: [4, 8, 0], m: [2, 4, 1] }), [2, 2, 0]);
  assert.deepEqual(voxelSize({ cella: [4, 8, 1], m: [2, 4, 0] }), [2, 2, 0]);
});

test('statistics: each sentinel of MRC2014 is null, and so is what is not finite', () => {
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

test("mode 0 is signed or not by IMOD's rule", () => {
  const signed = (fields: Partial<HeaderFields>) =>
    isSigned(parseHeader(buildHeader({ nx: 1, ny: 1, nz: 1, mode: 0, ...fields })));
  assert.equal(signed({ imodStamp: IMOD_STAMP, imodFlags: 1, dmin: 0, dmax: 255 }), true);
  assert.equal(signed({ imodStamp: IMOD_STAMP, imodFlags: 16, dmin: -5, dmax: 5 }), false);
  assert.equal(signed({ imodFlags: 1, dmin: 0, dmax: 255 }), false);
  assert.equal(signed({ dmin: -5, dmax: 127 }), true);
  assert.equal(signed({ dmin: -5, dmax: 255 }), false);
  assert.equal(signed({ dmin: -128, dmax: 255 }), true);
  assert.equal(signed({ dmin: -127, dmax: 255 }), false);
  assert.equal(signed({ dmin: 0, dmax: 127 }), false);
  assert.equal(signed({ mode: 1, dmin: -5, dmax: 5 }), null);
});
