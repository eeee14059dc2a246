import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseHeader } from '../header/header.ts';
import { buildHeader } from '../header/writer.ts';
import type { Raster } from '../pictures/raster.ts';
import { makePhantom, type Phantom, randomNumbers, thonRings } from '../samples/test-phantom.ts';
import { placeTiles, planSpectrum, type SpectrumRange } from './plan.ts';
import { chooseRings, drawRings, pixelSize } from './rings.ts';
import { readSpectrum } from './spectrum.ts';
import { spectrumLimits, viewSpectrum } from './view.ts';

async function show(
  { source, layout }: Pick<Phantom, 'source' | 'layout'>,
  slice: number | null,
  sizePx: number,
  range: SpectrumRange,
): Promise<Raster> {
  const plan = planSpectrum(layout, null, range, sizePx);
  assert.ok(plan);
  return viewSpectrum(await readSpectrum(source, layout, slice, plan), plan, range, sizePx, layout.isFlipped);
}

describe('readSpectrum', () => {
  test('shows Thon rings at the radii of the test image', async () => {
    const edge = 1024;
    const firstZero = 160;
    const image = thonRings(edge, firstZero);
    const phantom = makePhantom({ nx: edge, ny: edge, nz: 2, mode: 2 }, (x, y, z) =>
      z === 0 ? 3 : image[y * edge + x]!,
    );
    const { values } = await show(phantom, 1, 512, 'thon');
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
    const wave = (x: number, y: number) => 1000 * Math.cos((2 * Math.PI * (40 * x + 25 * y)) / 256);
    for (const sizePx of [512, 300, 65]) {
      for (const [axes, up] of [
        [[1, 2, 3], -25],
        [[1, -2, 3], 25],
      ] as const) {
        const phantom = makePhantom({ nx: 1000, ny: 700, nz: 1, mode: 1, axes }, wave);
        const { values, widthPx } = await show(phantom, 0, sizePx, 'full');
        assert.equal(widthPx, sizePx);
        const brightest = [...values.keys()].sort((a, b) => (values[b] || 0) - (values[a] || 0)).slice(0, 2);
        const half = Math.floor(sizePx / 2);
        for (const at of brightest) {
          const [x, y] = [(at % sizePx) - half, Math.floor(at / sizePx) - half];
          const sign = Math.sign(x);
          const [wantedX, wantedY] = [(sign * 40 * sizePx) / 256, (sign * up * sizePx) / 256];
          const isNear = Math.abs(x - wantedX) <= 1 && Math.abs(y - wantedY) <= 1;
          assert.ok(isNear, `${sizePx} px: (${x}, ${y}), not (${wantedX}, ${wantedY})`);
        }
      }
    }
  });

  test('blanks the middle and leaves it and the corners out of the contrast', async () => {
    const phantom = makePhantom({ nx: 64, ny: 64, nz: 1, mode: 2 }, (x, y) => (x * 7 + y * 13) % 11);
    const raster = await show(phantom, 0, 512, 'full');
    const radius = (at: number) => Math.hypot((at % 512) - 256, Math.floor(at / 512) - 256);
    // Two frequencies of a tile of 64 pixels.
    raster.values.forEach((value, at) => void assert.equal(Number.isNaN(value), radius(at) < 16));
    const bright = { ...raster, values: raster.values.map((value, at) => (radius(at) > 256 ? 1e9 : value)) };
    assert.deepEqual(spectrumLimits(bright, 'sigma'), spectrumLimits(raster, 'sigma'));
    const large = await show(
      makePhantom({ nx: 1024, ny: 1024, nz: 1, mode: 2 }, (x, y) => (x * 7 + y * 13) % 11),
      0,
      512,
      'full',
    );
    large.values.forEach((value, at) => void assert.equal(Number.isNaN(value), radius(at) < 5));
    const middle = { ...large, values: large.values.map((value, at) => (radius(at) < 14 ? 1e9 : value)) };
    assert.deepEqual(spectrumLimits(middle, 'sigma'), spectrumLimits(large, 'sigma'));
  });

  test('gives nothing for an image without contrast, or without finite values', async () => {
    for (const value of [5, Number.NaN]) {
      const { values } = await show(
        makePhantom({ nx: 64, ny: 64, nz: 1, mode: 2 }, () => value),
        0,
        64,
        'thon',
      );
      assert.ok(values.every((power) => Number.isNaN(power) || Math.abs(power) < 1e-4));
    }
  });

  test('values that are not finite count as the mean', async () => {
    const random = randomNumbers(9);
    const image = Float32Array.from({ length: 128 * 128 }, () => 1000 + random());
    const spoilt = image.map((value, at) =>
      at % 977 === 0 ? Number.NaN : at % 1999 === 5 ? Number.NEGATIVE_INFINITY : value,
    );
    const filled = spoilt.map((value) => (Number.isFinite(value) ? value : 1000.5));
    const [found, wanted] = await Promise.all(
      [spoilt, filled].map((values) =>
        show(
          makePhantom({ nx: 128, ny: 128, nz: 1, mode: 2 }, (x, y) => values[y * 128 + x]!),
          0,
          64,
          'full',
        ),
      ),
    );
    const differences = found!.values.map((value, at) => Math.abs(value - wanted!.values[at]!));
    assert.ok(
      differences.every((difference) => Number.isNaN(difference) || difference < 0.3),
      `${differences.reduce((a, b) => Math.max(a, b || 0), 0)}`,
    );
  });

  test('a section of long rows is read in bands, not once for each tile', async () => {
    let bytes = 0;
    const { layout, source } = makePhantom({ nx: 4096, ny: 256, nz: 1, mode: 1 }, (x) => x % 7);
    const counted = {
      read: (offset: number, target: Uint8Array) => {
        bytes += target.length;
        return source.read(offset, target);
      },
    };
    const plan = planSpectrum(layout, null, 'thon', 128);
    assert.equal(plan?.edge, 128);
    await readSpectrum(counted, layout, 0, plan);
    // Three bands that overlap by half, and a sample of each.
    assert.ok(bytes < 2 * layout.dataBytes, `${bytes} of ${layout.dataBytes} bytes`);
  });
});

describe('planSpectrum', () => {
  const edge = (nx: number, ny: number, sizePx = 512) => planSpectrum({ nx, ny }, null, 'thon', sizePx)?.edge;

  test('the tile is a power of two, about as large as the picture, and nine fit', () => {
    assert.deepEqual([edge(64, 64), edge(300, 127), edge(600, 511), edge(4096, 4096)], [64, 64, 128, 512]);
    assert.deepEqual([edge(4096, 4096, 1024), edge(4096, 4096, 300), edge(9000, 9000, 4096)], [1024, 256, 2048]);
    assert.equal(edge(63, 600), undefined);
  });

  test('frequencies beyond 2.8 Å are cropped for Thon rings only', () => {
    const plan = (pixel: number, range: SpectrumRange) =>
      planSpectrum({ nx: 4096, ny: 4096 }, [pixel, pixel], range, 512);
    assert.deepEqual(plan(0.7, 'thon'), { edge: 1024, crop: 0.5, kept: 256 });
    assert.deepEqual(plan(0.7, 'full'), { edge: 512, crop: 1, kept: 256 });
    assert.deepEqual(plan(1.5, 'thon'), { edge: 512, crop: 1, kept: 256 });
  });
});

describe('placeTiles', () => {
  test('all tiles of a section, and neighbours overlap by half', () => {
    const bands = placeTiles({ nx: 4096, ny: 2048 }, 512, { first: 3, count: 1 });
    assert.deepEqual([bands.length, bands[0]?.xs.length], [7, 15]);
    assert.deepEqual(bands.map(({ section, y }) => [section, y]).slice(0, 2), [
      [3, 0],
      [3, 256],
    ]);
    assert.deepEqual([bands[0]?.xs[1], bands.at(-1)?.y, bands[0]?.xs.at(-1)], [256, 1536, 3584]);
  });

  test('of a movie tiles from every frame and of every height, and no more than 1,024 of 512 pixels', () => {
    const bands = placeTiles({ nx: 4096, ny: 4096 }, 512, { first: 0, count: 50 });
    assert.equal(new Set(bands.map(({ section }) => section)).size, 50);
    assert.equal(bands.length, 50);
    assert.equal(new Set(bands.map(({ y }) => y)).size, 8);
    const many = placeTiles({ nx: 4096, ny: 4096 }, 512, { first: 0, count: 1000 });
    const tiles = many.reduce((sum, { xs }) => sum + xs.length, 0);
    assert.ok(tiles > 900 && tiles <= 1024, `${tiles} tiles`);
    assert.equal(placeTiles({ nx: 4096, ny: 4096 }, 512, { first: 0, count: 3 }).length, 24);
    const huge = placeTiles({ nx: 2 ** 31 - 1, ny: 2 ** 31 - 1 }, 2048, { first: 0, count: 2 ** 31 - 1 });
    assert.ok(huge.length >= 1 && huge.length <= 64 && huge.every(({ xs }) => xs.length <= 64));
  });
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
