import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makePhantom, type Phantom, randomNumbers, sphereLattice, thonRings } from '../samples/test-phantom.ts';
import { renderPreview } from './preview.ts';
import type { PreviewRequest } from './preview-request.ts';
import { assertGolden, structuralSimilarity } from './test-png.ts';

async function draw({ source, header, layout }: Phantom, request: Partial<PreviewRequest>) {
  const whole = { kind: 'section', axis: 'z', slice: null, sizePx: 512, contrast: 'sigma', ...request } as const;
  const outcome = await renderPreview(source, header, layout, whole);
  assert.ok(outcome.kind === 'picture', JSON.stringify(outcome));
  return outcome.picture;
}

const EDGE = 1024;
const lattice = makePhantom({ nx: 96, ny: 64, nz: 48, mode: 2, ispg: 1 }, sphereLattice);
const rings = thonRings(EDGE, 160);
const micrograph = makePhantom(
  { nx: EDGE, ny: EDGE, nz: 1, mode: 2, m: [EDGE, EDGE, 1], cella: [1.06 * EDGE, 1.06 * EDGE, 1] },
  (x, y) => rings[y * EDGE + x] as number,
);

describe('golden pictures', () => {
  for (const axis of ['x', 'y', 'z'] as const) {
    test(`section across ${axis}`, async () => {
      await assertGolden(await draw(lattice, { axis, slice: 7 }), `section-${axis}`);
    });
  }

  test('binned section, with percentiles', async () => {
    await assertGolden(await draw(micrograph, { sizePx: 256, contrast: 'percentile' }), 'micrograph');
  });

  test('average of a movie', async () => {
    const random = randomNumbers(3);
    const movie = makePhantom({ nx: 96, ny: 64, nz: 12, mode: 6 }, (x, y) => sphereLattice(x, y, 7) + 30 * random());
    await assertGolden(await draw(movie, { kind: 'average' }), 'average');
  });

  test('montage of particles', async () => {
    const stack = makePhantom({ nx: 40, ny: 40, nz: 30, mode: 12 }, (x, y, z) =>
      Math.max(0, 10 - Math.hypot(x - 20, (y - 12 - z / 3) * (1 + z / 10))),
    );
    await assertGolden(await draw(stack, { kind: 'montage' }), 'montage');
  });

  test('power spectrum with labelled rings', async () => {
    await assertGolden(await draw(micrograph, { kind: 'spectrum', sizePx: 256 }), 'spectrum');
  });
});

test('structuralSimilarity: a mirrored and a noisy picture score lower', async () => {
  const picture = await draw(lattice, { slice: 7 });
  assert.equal(structuralSimilarity(picture, picture), 1);
  const random = randomNumbers(4);
  const noisy = { ...picture, gray: picture.gray.map((gray) => Math.min(255, gray + 20 * random())) };
  assert.ok(structuralSimilarity(picture, noisy) < 0.97);
  assert.ok(structuralSimilarity(picture, { ...picture, gray: picture.gray.toReversed() }) < 0.97);
});
