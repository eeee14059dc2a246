import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileRecord } from '@cryolift/protocol/messages';
import { type Given, queryOf, readChoices } from './choices.ts';
import { extentOf } from './extent.ts';

type Mrc = NonNullable<FileRecord['mrc']>;

function mrcOf(fields: object): Mrc {
  return { nx: 100, ny: 80, nz: 60, mode: 2, kind: 'volume', voxel_size: [4, 4, 4], ...fields } as unknown as Mrc;
}

const NOTHING: Given = {
  show: null,
  axis: null,
  slice: null,
  slab: null,
  contrast: null,
  low: null,
  high: null,
  lowpass: null,
  range: null,
};
const ask = (given: Partial<Given>, fields: object = {}, name = 'a.mrc') =>
  queryOf(readChoices(mrcOf(fields), name, { ...NOTHING, ...given }));

test('choices: what is not given has the value that suits the file', () => {
  assert.deepEqual(ask({}), { kind: 'section', axis: 'z', slice: 30, contrast: 'sigma' });
  assert.deepEqual(ask({ axis: 'x' }), { kind: 'section', axis: 'x', slice: 50, contrast: 'sigma' });
  const movie = { kind: 'stack', nx: 4096, ny: 4096 };
  assert.deepEqual(ask({}, movie), { kind: 'average', contrast: 'sigma' });
  assert.deepEqual(ask({ show: 'means' }, movie), { kind: 'means' });
});

test('choices: what is given is asked for', () => {
  assert.deepEqual(ask({ slice: '3', slab: '10', lowpass: '20', low: '2.5' }), {
    kind: 'section',
    axis: 'z',
    slice: 3,
    slab: 10,
    lowpass: 20,
    low: 2.5,
    high: 99.9,
  });
  assert.deepEqual(ask({ show: 'spectrum', range: 'full', contrast: 'percentile' }), {
    kind: 'spectrum',
    range: 'full',
    contrast: 'percentile',
  });
});

test('choices: values that the file does not have count as not given', () => {
  const usual = ask({});
  for (const given of [
    { show: 'film' },
    { axis: 'w' },
    { slice: '60' },
    { slice: '-1' },
    { slice: '' },
    { slice: '1.5' },
    { slab: '7' },
    { contrast: 'own' },
    { contrast: 'cell' },
    { low: '60', high: '40' },
    { low: 'x' },
    { high: '101' },
    // No finer than the voxels.
    { lowpass: '5' },
    { range: 'full' },
  ]) {
    assert.deepEqual(ask(given), usual, JSON.stringify(given));
  }
  assert.deepEqual(ask({ lowpass: '20' }, { voxel_size: null }), usual);
  assert.equal(ask({ slab: '5' }, { kind: 'tilt_series' }).slab, undefined);
});

test('extent: of a section in voxels and Å; of other pictures there is none', () => {
  const cube = extentOf(mrcOf({}), 'section', 'y');
  assert.deepEqual(cube, {
    voxels: { width: 100, height: 60 },
    picture: { width: 100, height: 60 },
    angstroms: 4,
  });
  const slim = extentOf(mrcOf({ voxel_size: [4, 4, 8] }), 'section', 'x');
  assert.deepEqual(slim?.picture, { width: 80, height: 120 });
  assert.equal(extentOf(mrcOf({ voxel_size: null }), 'section', 'z')?.angstroms, null);
  // A cell that cannot be right is drawn as cubes, as the server does.
  assert.deepEqual(extentOf(mrcOf({ voxel_size: [1, 1, 100] }), 'section', 'x')?.picture, { width: 80, height: 60 });
  assert.equal(extentOf(mrcOf({}), 'montage', 'z'), null);
});
