import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describePixelSize } from './pixel-size.ts';

test('pixel size: z is omitted for images, with any header', () => {
  for (const kind of ['stack', 'image'] as const) {
    assert.equal(describePixelSize({ kind, voxel_size: [2.7, 2.7, 110.7] }), '2.7 Å/px');
  }
  assert.equal(describePixelSize({ kind: 'stack', voxel_size: [2.7, 2.8, 110.7] }), '2.7 × 2.8 Å/px');
});

test('pixel size: volumes have all axes, written once when they are equal', () => {
  for (const kind of ['volume', 'volume_stack'] as const) {
    assert.equal(describePixelSize({ kind, voxel_size: [2.7, 2.7, 3.1] }), '2.7 × 2.7 × 3.1 Å/px');
    assert.equal(describePixelSize({ kind, voxel_size: [2.7, 2.700001, 2.699999] }), '2.7 Å/px');
  }
  assert.equal(describePixelSize({ kind: 'volume', voxel_size: [2.7, 2.7, 0] }), '2.7 Å/px');
  assert.equal(describePixelSize({ kind: 'volume', voxel_size: null }), null);
  assert.equal(
    describePixelSize({ kind: 'image', voxel_size: [2.71234, 2.71234, 0] }, (edge) => edge.toFixed(2)),
    '2.71 Å/px',
  );
});
