import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOTHING_ACQUIRED } from '../extended/acquisition.ts';
import { describeAcquisition, describeExtent, describeTilts } from './describe.ts';

test('extent: an image has two numbers, a volume three, one without a voxel size none', () => {
  const geometry = { extent: [96.123_456, 64, 0] };
  assert.equal(describeExtent({ kind: 'image', geometry }), '96.123 × 64 Å');
  assert.equal(describeExtent({ kind: 'stack', geometry: { extent: [1, 2, 3] } }), '1 × 2 Å');
  assert.equal(describeExtent({ kind: 'volume', geometry: { extent: [1, 2, 3] } }), '1 × 2 × 3 Å');
  assert.equal(describeExtent({ kind: 'volume', geometry }), '96.123 × 64 Å');
  assert.equal(describeExtent({ kind: 'volume', geometry: { extent: null } }), null);
  assert.equal(describeExtent({ kind: 'volume' }), null);
});

test('tilts: range, step and number of images', () => {
  assert.equal(
    describeTilts({ min: -60.004, max: 60, step: 3, angles: [0, 3, -3] }),
    '-60° to 60° in steps of 3°, 3 images',
  );
});

test('acquisition: only what is known, with units', () => {
  assert.deepEqual(describeAcquisition({ ...NOTHING_ACQUIRED, voltage: 300, camera: 'K3', dose: 47.624_84 }), [
    ['camera', 'K3'],
    ['voltage', '300 kV'],
    ['dose', '47.625 e/Å²'],
  ]);
});
