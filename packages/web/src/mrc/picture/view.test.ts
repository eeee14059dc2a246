import assert from 'node:assert/strict';
import { test } from 'node:test';
import { confine, cornerOf, pan, settle, shownRegion, zoomTo } from './view.ts';

const FRAME = { width: 400, height: 300 };
const PICTURE = { width: 4000, height: 4000 };

test('view: the whole picture fits into the frame, in its middle', () => {
  const whole = settle(null, FRAME, PICTURE);
  assert.deepEqual(whole, { scale: 0.075, x: 2000, y: 2000 });
  assert.deepEqual(cornerOf(whole, FRAME), { x: 50, y: 0 });
});

test('view: zooming keeps the point under the pointer', () => {
  const at = { x: 100, y: 200 };
  const view = zoomTo(null, 1, at, FRAME, PICTURE);
  assert.ok(view);
  // Before: 100 px are 50 px into the picture, at 0.075 px per voxel.
  const corner = cornerOf(view, FRAME);
  assert.ok(Math.abs(at.x - corner.x - 50 / 0.075) < 1e-6);
  assert.ok(Math.abs(at.y - corner.y - 200 / 0.075) < 1e-6);
  assert.equal(zoomTo(view, 1000, at, FRAME, PICTURE)?.scale, 32);
  assert.equal(zoomTo(view, 0.01, at, FRAME, PICTURE), null);
});

test('view: a tiny picture that fits only enlarged can still be shown whole', () => {
  const tiny = { width: 4, height: 3 };
  assert.equal(settle(null, FRAME, tiny).scale, 100);
  assert.equal(zoomTo(null, 200, { x: 0, y: 0 }, FRAME, tiny), null);
});

test('view: panning ends at the edges', () => {
  const view = { scale: 1, x: 2000, y: 2000 };
  assert.deepEqual(pan(view, 100, -50, FRAME, PICTURE), { scale: 1, x: 1900, y: 2050 });
  assert.deepEqual(pan(view, 1e6, -1e6, FRAME, PICTURE), { scale: 1, x: 200, y: 3850 });
  assert.equal(pan(null, 10, 10, FRAME, PICTURE), null);
  // Where the picture is less wide than the frame it stays in the middle.
  const narrow = { width: 100, height: 4000 };
  assert.deepEqual(confine({ scale: 1, x: 0, y: 0 }, FRAME, narrow), { scale: 1, x: 50, y: 150 });
});

test('view: the shown region is within the picture, and covers the frame', () => {
  assert.deepEqual(shownRegion({ scale: 1, x: 2000, y: 2000 }, FRAME, PICTURE), {
    x: 1792,
    y: 1824,
    width: 416,
    height: 352,
  });
  assert.deepEqual(shownRegion({ scale: 4, x: 3950, y: 40 }, FRAME, PICTURE), {
    x: 3872,
    y: 0,
    width: 128,
    height: 96,
  });
  // Voxels that are twice as high as wide.
  const voxels = { width: 4000, height: 2000 };
  assert.deepEqual(shownRegion({ scale: 1, x: 2000, y: 2000 }, FRAME, PICTURE, voxels), {
    x: 1792,
    y: 896,
    width: 416,
    height: 192,
  });
});
