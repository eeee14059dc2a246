/** Regions, slabs and low-passes of sections and averages. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Picture } from '../pictures/picture.ts';
import { renderPreview } from '../pictures/preview.ts';
import type { PreviewRequest, Region } from '../pictures/preview-request.ts';
import { makePhantom, type Phantom } from '../samples/test-phantom.ts';

async function render({ source, header, layout }: Phantom, request: Partial<PreviewRequest>) {
  const whole = { kind: 'section', axis: 'z', slice: null, sizePx: 512, contrast: 'percentile', ...request } as const;
  return await renderPreview(source, header, layout, whole);
}

async function draw(phantom: Phantom, request: Partial<PreviewRequest>): Promise<Picture> {
  const outcome = await render(phantom, request);
  assert.ok(outcome.kind === 'picture', JSON.stringify(outcome));
  return outcome.picture;
}

function cropOf({ gray, widthPx }: Picture, { x, y, width, height }: Region): number[] {
  return Array.from({ length: width * height }, (_, i) => {
    return gray[(y + Math.floor(i / width)) * widthPx + x + (i % width)] as number;
  });
}

const uneven = (x: number, y: number, z: number) => (7 * x + 13 * y + 5 * z + x * y) % 11;
const REGION: Region = { x: 3, y: 2, width: 4, height: 5 };

test('region: shows the same voxels as the whole picture, for all axes, orders of axes and row orders', async () => {
  for (const axes of [
    [1, 2, 3],
    [2, 1, 3],
    [3, 1, 2],
    [1, -2, 3],
  ] as const) {
    const volume = makePhantom({ nx: 12, ny: 14, nz: 16, mode: 2, ispg: 1, axes }, uneven);
    for (const axis of ['x', 'y', 'z'] as const) {
      const whole = await draw(volume, { axis });
      const part = await draw(volume, { axis, region: REGION });
      assert.deepEqual([part.widthPx, part.heightPx], [REGION.width, REGION.height], `${axes} ${axis}`);
      assert.deepEqual([...part.gray], cropOf(whole, REGION), `${axes} ${axis}`);
      assert.deepEqual([part.black, part.white], [whole.black, whole.white]);
    }
  }
  const movie = makePhantom({ nx: 12, ny: 14, nz: 5, mode: 2 }, uneven);
  const average = await draw(movie, { kind: 'average', region: REGION });
  assert.deepEqual([...average.gray], cropOf(await draw(movie, { kind: 'average' }), REGION));
  assert.match(average.shows, /, 4 x 5 voxels from 3, 2$/);
});

test('region: a part of a large section has its voxels, and the same contrast wherever it is', async () => {
  const large = makePhantom({ nx: 900, ny: 800, nz: 1, mode: 2 }, (x, y) => (x < 450 ? 0 : 50) + ((x * 7 + y * 3) % 5));
  const whole = await draw(large, { sizePx: 64 });
  assert.deepEqual([whole.widthPx, whole.heightPx], [60, 54]);
  const left = await draw(large, { region: { x: 0, y: 0, width: 100, height: 90 }, sizePx: 128 });
  const right = await draw(large, { region: { x: 800, y: 700, width: 100, height: 90 }, sizePx: 128 });
  assert.deepEqual([left.widthPx, left.heightPx], [100, 90]);
  assert.deepEqual([left.black, left.white], [right.black, right.white]);
  assert.deepEqual([left.black, left.white], [0, 54]);
  // Row 0 of the file is at the bottom.
  const at = (x: number, y: number) => Math.round((((x * 7 + (799 - y) * 3) % 5) * 255) / 54);
  assert.equal(left.gray[10 * 100 + 20], at(20, 10));
  const binned = await draw(large, { region: { x: 0, y: 0, width: 400, height: 400 }, sizePx: 100 });
  assert.deepEqual([binned.widthPx, binned.heightPx], [100, 100]);
});

test('region: padding does not count for the contrast', async () => {
  const padded = makePhantom({ nx: 700, ny: 700, nz: 1, mode: 2 }, (x, y) =>
    x < 300 || y < 300 ? 0 : 100 + ((x + y) % 10),
  );
  const { black, white } = await draw(padded, { region: { x: 400, y: 10, width: 64, height: 64 } });
  assert.deepEqual([black, white], [100, 109]);
});

test('region: one that is empty or not within the picture is refused', async () => {
  const movie = makePhantom({ nx: 12, ny: 14, nz: 5, mode: 2 }, uneven);
  for (const region of [
    { x: 0, y: 0, width: 0, height: 5 },
    { x: 10, y: 0, width: 3, height: 5 },
    { x: 0, y: 10, width: 3, height: 5 },
  ]) {
    const outcome = await render(movie, { region });
    assert.ok(outcome.kind === 'refused');
    assert.equal(outcome.message, 'The region is not within the 12 × 14 voxels of the picture, or is empty.');
  }
  const transform = makePhantom({ nx: 12, ny: 14, nz: 5, mode: 4 }, uneven);
  const outcome = await render(transform, { region: REGION });
  assert.equal(outcome.kind === 'refused' && outcome.code, 'not_applicable');
});

test('slab: is the mean of the sections around one, within its volume', async () => {
  const volume = makePhantom({ nx: 8, ny: 9, nz: 10, mode: 2, ispg: 1 }, (x, y, z) => z * z + x + 10 * y);
  const means = async (request: Partial<PreviewRequest>, phantom = volume) => {
    const { gray, black, white } = await draw(phantom, { ...request, percentiles: { low: 0, high: 100 } });
    const [least, most] = [black as number, white as number];
    return { least, most, mean: least + ((gray[0] as number) / 255) * (most - least) };
  };
  // Sections 3, 4, 5 of z: (9 + 16 + 25) / 3, plus x and 10 y.
  assert.ok(Math.abs((await means({ slice: 4, slab: 3 })).least - 50 / 3) < 1e-4);
  assert.ok(Math.abs((await means({ slice: 0, slab: 4 })).least - 14 / 4) < 1e-4);
  assert.ok(Math.abs((await means({ slice: 9, slab: 100 })).least - 285 / 10) < 1e-4);
  // Columns 1, 2, 3 have a mean of 2, rows 0 and 1 of 5.
  assert.equal((await means({ axis: 'x', slice: 2, slab: 3 })).least, 2);
  assert.equal((await means({ axis: 'y', slice: 1, slab: 2 })).least, 5);
  const stack = makePhantom({ nx: 6, ny: 6, nz: 20, mode: 2, ispg: 401, m: [6, 6, 5] }, (x, _, z) => z + x);
  assert.equal((await means({ slice: 5, slab: 5 }, stack)).least, 7);
  const { shows, slice } = await draw(volume, { slice: 4, slab: 3 });
  assert.equal(slice, 4);
  assert.match(shows, /, mean of 3 sections around it$/);
});

test('low-pass: halves a wave of its wavelength, and leaves a constant and longer waves', async () => {
  const pixel = 2;
  const wave = (lengthPx: number) =>
    makePhantom(
      { nx: 256, ny: 128, nz: 1, mode: 2, m: [256, 128, 1], cella: [256 * pixel, 128 * pixel, 1] },
      (x) => 5 + Math.cos((2 * Math.PI * x) / lengthPx),
    );
  const rangeOf = async (lengthPx: number, lowPass?: number) => {
    const region = { x: 64, y: 32, width: 128, height: 64 };
    const every = { low: 0, high: 100 };
    const more = lowPass === undefined ? {} : { lowPass };
    const { black, white, gray } = await draw(wave(lengthPx), { region, percentiles: every, sizePx: 256, ...more });
    const worth = (at: number) =>
      (black as number) + ((gray[at] as number) / 255) * ((white as number) - (black as number));
    const values = Array.from(gray, (_, at) => worth(at));
    return (Math.max(...values) - Math.min(...values)) / 2;
  };
  assert.ok(Math.abs((await rangeOf(16)) - 1) < 0.02);
  assert.ok(Math.abs((await rangeOf(16, 16 * pixel)) - 0.5) < 0.02);
  assert.ok((await rangeOf(8, 16 * pixel)) < 0.09);
  assert.ok((await rangeOf(64, 16 * pixel)) > 0.94);
});

test('low-pass: a region shows the same as the whole picture', async () => {
  const size = { nx: 100, ny: 90, nz: 1, mode: 2, m: [100, 90, 1] as const, cella: [100, 90, 1] as const };
  const noise = makePhantom(size, (x, y) => (x * 7919 + y * 104_729 + x * y * 13) % 101);
  const whole = await draw(noise, { lowPass: 12 });
  const region = { x: 30, y: 20, width: 40, height: 30 };
  const part = await draw(noise, { lowPass: 12, region });
  const [mapped, expected] = [[...part.gray], cropOf(whole, region)];
  mapped.forEach((gray, at) => {
    assert.ok(Math.abs(gray - (expected[at] as number)) <= 1, `${gray} at ${at}, not ${expected[at]}`);
  });
  assert.match(part.shows, /, low-pass 12 \xc5$/);
  // A wide Gaussian is of boxes of voxels.
  const wide = await draw(noise, { lowPass: 80 });
  assert.deepEqual([wide.widthPx, wide.heightPx], [34, 30]);
});

test('low-pass: needs the size of a voxel', async () => {
  const unknown = makePhantom({ nx: 12, ny: 14, nz: 5, mode: 2, cella: [0, 0, 0] }, uneven);
  for (const kind of ['section', 'average', 'montage'] as const) {
    const outcome = await render(unknown, { kind, lowPass: 10 });
    assert.match(outcome.kind === 'refused' ? outcome.message : '', /size of a voxel/);
  }
  const known = makePhantom({ nx: 12, ny: 14, nz: 5, mode: 2, m: [12, 14, 1], cella: [24, 28, 1] }, uneven);
  const [sharp, smooth] = [await draw(known, { kind: 'montage' }), await draw(known, { kind: 'montage', lowPass: 20 })];
  assert.deepEqual([smooth.widthPx, smooth.heightPx], [sharp.widthPx, sharp.heightPx]);
  assert.ok((smooth.white as number) < (sharp.white as number));
});

test('percentiles: black and white are where they are asked for', async () => {
  const ramp = makePhantom({ nx: 100, ny: 10, nz: 1, mode: 2 }, (x, y) => 1000 + x + 100 * y);
  for (const [low, high, black, white] of [
    [0, 100, 1000, 1999],
    [10, 90, 1100, 1899],
    [50, 60, 1500, 1599],
  ] as const) {
    const drawn = await draw(ramp, { percentiles: { low, high } });
    assert.deepEqual([drawn.black, drawn.white], [black, white]);
  }
});
