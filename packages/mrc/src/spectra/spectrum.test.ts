import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseHeader } from '../header/header.ts';
import { buildHeader } from '../header/writer.ts';
import { makePhantom, thonRings } from '../samples/test-phantom.ts';
import { chooseRings, drawRings, pixelSize } from './rings.ts';
import { readSpectrum, spectrumLimits, tileEdge } from './spectrum.ts';

describe('readSpectrum', () => {
  test('shows Thon rings at the radii of the test image', async () => {
    const edge = 1024;
    const firstZero = 160;
    const image = thonRings(edge, firstZero);
    const { source, layout } = makePhantom({ nx: edge, ny: edge, nz: 2, mode: 2 }, (x, y, z) =>
      z === 0 ? 3 : image[y * edge + x]!,
    );
    const { values } = await readSpectrum(source, layout, 1, 512);
    const profile = radialMeans(values, 512);
    for (let ring = 1; ring <= 6; ring++) {
      const zero = (firstZero / 2) * Math.sqrt(ring);
      const peak = (firstZero / 2) * Math.sqrt(ring + 0.5);
      assert.ok(Math.abs(extremum(profile, zero, 5, Math.min) - zero) <= 1, `zero ${ring}`);
      // Peaks are flat: the logarithm of a sine.
      assert.ok(Math.abs(extremum(profile, peak, 6, Math.max) - peak) <= 3, `peak ${ring}`);
      assert.ok(profile[Math.round(peak)]! - profile[Math.round(zero)]! > 2, `contrast of ring ${ring}`);
    }
  });

  test('places a wave by its direction in the shown picture, with either row order', async () => {
    const wave = (x: number, y: number) => 1000 * Math.cos((2 * Math.PI * (40 * x + 25 * y)) / 512);
    for (const [axes, up] of [
      [[1, 2, 3], -25],
      [[1, -2, 3], 25],
    ] as const) {
      const { source, layout } = makePhantom({ nx: 1000, ny: 700, nz: 1, mode: 1, axes }, wave);
      const { values } = await readSpectrum(source, layout, 0, 512);
      const brightest = [...values.keys()].sort((a, b) => (values[b] || 0) - (values[a] || 0)).slice(0, 2);
      const at = (x: number, y: number) => (256 + y) * 512 + 256 + x;
      assert.deepEqual(new Set(brightest), new Set([at(40, up), at(-40, -up)]));
    }
  });

  test('blanks the middle and leaves it out of the contrast', async () => {
    const { source, layout } = makePhantom({ nx: 64, ny: 64, nz: 1, mode: 2 }, (x, y) => (x * 7 + y * 13) % 11);
    const raster = await readSpectrum(source, layout, 0, 64);
    const blank = [...raster.values.keys()].filter((i) => Number.isNaN(raster.values[i]));
    assert.equal(blank.length, 69);
    const bright = { ...raster, values: raster.values.slice() };
    for (let i = 32 * 64 + 22; i <= 32 * 64 + 42; i++) bright.values[i] = 1e9;
    assert.deepEqual(spectrumLimits(bright, 'sigma'), spectrumLimits(raster, 'sigma'));
  });

  test('gives nothing for an image without contrast', async () => {
    const { source, layout } = makePhantom({ nx: 64, ny: 64, nz: 1, mode: 2 }, () => 5);
    const { values } = await readSpectrum(source, layout, 0, 64);
    assert.equal(values.filter((value) => value === 0).length, 64 * 64 - 69);
  });
});

test('spectrum tile: the edge is the largest power of two that fits', () => {
  const edge = (nx: number, ny: number, sizePx = 512) =>
    tileEdge(makePhantom({ nx, ny, nz: 1, mode: 0 }, () => 0).layout, sizePx);
  assert.deepEqual([edge(64, 64), edge(300, 127), edge(600, 511), edge(513, 600, 1024)], [64, 64, 256, 512]);
  assert.deepEqual([edge(600, 600, 200), edge(63, 600)], [128, null]);
});

test('rings: resolutions are round, fit the picture and keep their distance', () => {
  assert.deepEqual(chooseRings(512, 1.06), [20, 10, 5, 4, 3, 2.5]);
  assert.deepEqual(chooseRings(64, 1.06), [2.5]);
});

test('rings: with pixels that are not square they stay inside the picture', () => {
  const gray = new Uint8Array(256 * 256);
  drawRings(gray, 256, [1, 2]);
  const right = [...gray.subarray(128 * 256 + 128, 128 * 256 + 128 + 80)];
  // 20, 10 and 5 Å; 4 Å would leave the picture at the top.
  assert.deepEqual(
    [...right.keys()].filter((x) => right[x] === 255),
    [13, 26, 51],
  );
});

test('pixel size: it follows the axes, and is null without a plausible cell', () => {
  const cell = { nx: 10, ny: 10, nz: 10, mode: 0, m: [10, 10, 10], cella: [10, 20, 30] } as const;
  const sizes = (fields: object) => pixelSize(parseHeader(buildHeader({ ...cell, ...fields })));
  assert.deepEqual(sizes({}), [1, 2]);
  assert.deepEqual(sizes({ axes: [3, 1, 2] }), [3, 1]);
  assert.deepEqual(sizes({ axes: [1, -2, 3] }), [1, 2]);
  assert.deepEqual(sizes({ axes: [0, 0, 0] }), [1, 2]);
  assert.equal(sizes({ cella: [0, 0, 0] }), null);
  assert.equal(sizes({ cella: [10, 1e30, 10] }), null);
});

function radialMeans(values: Float32Array, edge: number): number[] {
  const sums = new Float64Array(edge);
  const counts = new Float64Array(edge);
  values.forEach((value, index) => {
    const radius = Math.round(Math.hypot((index % edge) - edge / 2, Math.floor(index / edge) - edge / 2));
    if (Number.isNaN(value)) return;
    sums[radius]! += value;
    counts[radius]! += 1;
  });
  return Array.from(sums, (sum, radius) => sum / counts[radius]!);
}

function extremum(profile: number[], around: number, reach: number, pick: (...values: number[]) => number): number {
  const from = Math.round(around) - reach;
  const near = profile.slice(from, from + 2 * reach + 1);
  return from + near.indexOf(pick(...near));
}
