import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileRecord } from '@cryolift/protocol/messages';
import { dimsOf, voxelOf } from './mrc-summary.ts';

type Mrc = NonNullable<FileRecord['mrc']>;

function mrc(fields: Partial<Mrc>): Mrc {
  return { kind: 'volume', nx: 4096, ny: 2048, nz: 3, voxel_size: null, ...fields } as Mrc;
}

test('MRC summary: dimensions leave out a single section', () => {
  assert.equal(dimsOf(mrc({})), '4,096 × 2,048 × 3');
  assert.equal(dimsOf(mrc({ nz: 1 })), '4,096 × 2,048');
});

test('MRC summary: the pixel size of images has no z, and without a size there is no text', () => {
  assert.equal(voxelOf(mrc({ kind: 'stack', voxel_size: [2.7, 2.7, 110.7] })), '2.7 Å/px');
  assert.equal(voxelOf(mrc({})), null);
});

test('dimensions: are X, Y and Z, however the axes are stored', () => {
  const stored = { nx: 60, ny: 100, nz: 80, mode: 2 };
  const permuted = { ...stored, geometry: { size: [100, 80, 60], axes: [3, 1, 2] } };
  assert.equal(dimsOf(permuted as unknown as Mrc), '100 × 80 × 60');
  // A record of an earlier version.
  assert.equal(dimsOf(stored as unknown as Mrc), '60 × 100 × 80');
  assert.equal(dimsOf({ ...stored, nz: 1 } as unknown as Mrc), '60 × 100');
});
