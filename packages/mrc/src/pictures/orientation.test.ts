import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePhantom, type Phantom } from '../samples/test-phantom.ts';
import { VoxelAnalysis } from '../voxel-analysis.ts';
import { collectedPicture } from './collected.ts';
import type { Picture } from './picture.ts';
import { renderPreview } from './preview.ts';
import type { PreviewRequest } from './preview-request.ts';
import { resample } from './resample.ts';

async function draw({ source, header, layout }: Phantom, request: Partial<PreviewRequest>): Promise<Picture> {
  const whole = { kind: 'section', axis: 'z', slice: null, sizePx: 512, contrast: 'percentile', ...request } as const;
  const outcome = await renderPreview(source, header, layout, whole);
  assert.ok(outcome.kind === 'picture', JSON.stringify(outcome));
  return outcome.picture;
}

/** Voxels along X, Y, Z, and the bright one. */
const SIZE = [6, 8, 10] as const;
const BRIGHT = [1, 2, 3] as const;
const PERMUTATIONS = [
  [1, 2, 3],
  [1, 3, 2],
  [2, 1, 3],
  [2, 3, 1],
  [3, 1, 2],
  [3, 2, 1],
] as const;

/** The same volume in space, however its axes are stored. */
function permuted(axes: readonly [number, number, number]): Phantom {
  const [nx, ny, nz] = axes.map((axis) => SIZE[axis - 1]) as [number, number, number];
  return makePhantom({ nx, ny, nz, mode: 2, ispg: 1, axes }, (...at) =>
    axes.every((axis, index) => at[index] === BRIGHT[axis - 1]) ? 10 : 0,
  );
}

test('orientation: permuted axes are drawn as the same volume, X before Y before Z, each section by its number', async () => {
  for (const axes of PERMUTATIONS) {
    for (const [axis, columns, rows] of [
      ['x', 1, 2],
      ['y', 0, 2],
      ['z', 0, 1],
    ] as const) {
      const slice = BRIGHT['xyz'.indexOf(axis)] as number;
      const { gray, widthPx, heightPx, shows } = await draw(permuted(axes), { axis, slice });
      assert.deepEqual([widthPx, heightPx], [SIZE[columns], SIZE[rows]], `${axes} ${axis}`);
      const at = gray.indexOf(255);
      const found = [at % widthPx, heightPx - 1 - Math.floor(at / widthPx)];
      assert.deepEqual(found, [BRIGHT[columns], BRIGHT[rows]], `${axes} ${axis}`);
      assert.match(shows, new RegExp(`Section ${slice} of ${axis} .*6 x 8 x 10 voxels`));
    }
    const outside = await renderPreview(permuted(axes).source, permuted(axes).header, permuted(axes).layout, {
      kind: 'section',
      axis: 'x',
      slice: 6,
      sizePx: 512,
      contrast: 'sigma',
    });
    assert.equal(outside.kind === 'refused' && outside.message, 'Along x the file has sections 0 to 5, not 6.');
  }
});

test('orientation: the sections that an analysis collects are drawn as those that are read', async () => {
  for (const axes of PERMUTATIONS) {
    const [nx, ny, nz] = axes.map((axis) => SIZE[axis - 1]) as [number, number, number];
    const phantom = makePhantom({ nx, ny, nz, mode: 2, ispg: 1, axes }, (x, y, z) => (7 * x + 3 * y + z) % 10);
    const pass = new VoxelAnalysis(phantom.layout, 'volume');
    const bytes = new Uint8Array(1024 + 4 * nx * ny * nz);
    await phantom.source.read(0, bytes);
    pass.add(0, bytes);
    for (const axis of ['x', 'y', 'z'] as const) {
      const request = { kind: 'section', axis, slice: null, sizePx: 512, contrast: 'sigma' } as const;
      const collected = collectedPicture(pass, phantom.layout, request);
      assert.deepEqual(collected?.gray, (await draw(phantom, { axis, contrast: 'sigma' })).gray, `${axes} ${axis}`);
      assert.equal(collectedPicture(pass, phantom.layout, { ...request, slice: 1 }), null);
    }
  }
});

test('orientation: voxels that are no cubes are drawn to scale, within the requested size', async () => {
  const size = { nx: 20, ny: 30, nz: 10, mode: 2, ispg: 1, m: [20, 30, 10] } as const;
  const phantom = makePhantom({ ...size, cella: [20, 30, 40] }, (x, y, z) => x + y + z);
  const sizes = async (request: Partial<PreviewRequest>) => {
    const { widthPx, heightPx } = await draw(phantom, request);
    return [widthPx, heightPx];
  };
  assert.deepEqual(await sizes({ axis: 'z' }), [20, 30]);
  assert.deepEqual(await sizes({ axis: 'x' }), [30, 40]);
  assert.deepEqual(await sizes({ axis: 'y' }), [20, 40]);
  assert.deepEqual(await sizes({ axis: 'y', sizePx: 20 }), [10, 20]);
  const wide = makePhantom({ nx: 20, ny: 30, nz: 2, mode: 2, m: [20, 30, 1], cella: [60, 30, 1] }, (x) => x);
  const average = await draw(wide, { kind: 'average' });
  assert.deepEqual([average.widthPx, average.heightPx], [60, 30]);
});

test('orientation: a stack of volumes is shown by the middle of its first volume', async () => {
  const stack = makePhantom({ nx: 6, ny: 6, nz: 20, mode: 2, ispg: 401, m: [6, 6, 5], cella: [6, 6, 5] }, (x, y, z) =>
    z === 2 && x === y ? 10 : 0,
  );
  const across = await draw(stack, { axis: 'z' });
  assert.deepEqual([across.slice, across.gray.filter((gray) => gray === 255).length], [2, 6]);
  const along = await draw(stack, { axis: 'x', slice: 3 });
  assert.deepEqual([along.widthPx, along.heightPx], [6, 5]);
  assert.match(along.shows, /of the first volume/);
  assert.equal((await draw(stack, { axis: 'z', slice: 19 })).slice, 19);
  const request = { kind: 'section', axis: 'z', slice: null, sizePx: 512, contrast: 'sigma' } as const;
  assert.equal(collectedPicture(new VoxelAnalysis(stack.layout, 'volume_stack'), stack.layout, request), null);
});

test('resample: keeps the mean, and draws a ramp as a ramp', () => {
  const ramp = { widthPx: 4, heightPx: 1, values: Float32Array.of(0, 1, 2, 3) };
  assert.deepEqual([...resample(ramp, 2, 1).values], [0.5, 2.5]);
  assert.deepEqual([...resample(ramp, 8, 2).values.subarray(0, 8)], [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]);
  const third = resample({ ...ramp, values: Float32Array.of(Number.NaN, 4, 4, Number.NaN) }, 3, 1).values;
  assert.deepEqual([...third], [4, 4, 4]);
});
