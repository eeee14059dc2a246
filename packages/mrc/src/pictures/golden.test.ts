import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileOf, makeMicrograph } from '../samples/test-micrograph.ts';
import { makePhantom, type Phantom, randomNumbers, sphereLattice, thonRings } from '../samples/test-phantom.ts';
import { renderPreview } from './preview.ts';
import type { PreviewRequest } from './preview-request.ts';
import { assertGolden, structuralSimilarity } from './test-png.ts';

async function draw({ source, header, layout }: Omit<Phantom, 'bytes'>, request: Partial<PreviewRequest> = {}) {
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

const frozen = fileOf([makeMicrograph({ edge: EDGE, pixel: 1.06, defocus: 12_000, ice: 1.5 })], 1.06);

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

  test('montage with a contrast for each image', async () => {
    const stack = makePhantom({ nx: 40, ny: 40, nz: 9, mode: 2 }, (x, y, z) =>
      z === 8 ? 3 : 10 ** (z - 4) * (5 + Math.max(0, 10 - Math.hypot(x - 20, y - 12 - z))),
    );
    await assertGolden(await draw(stack, { kind: 'montage', contrast: 'cell', sizePx: 256 }), 'montage-cells');
  });

  test('power spectrum for Thon rings, with labelled rings', async () => {
    await assertGolden(await draw(frozen, { kind: 'spectrum' }), 'spectrum');
  });

  test('power spectrum of all frequencies, with a ring of ice', async () => {
    await assertGolden(await draw(frozen, { kind: 'spectrum', range: 'full', sizePx: 300 }), 'spectrum-full');
  });

  test('rotational average of a power spectrum, with the peak of ice', async () => {
    await assertGolden(await draw(frozen, { kind: 'profile' }), 'profile');
  });

  test('means of frames, one of which is empty', async () => {
    const random = randomNumbers(12);
    const movie = makePhantom({ nx: 64, ny: 64, nz: 40, mode: 2 }, (_, __, z) =>
      z === 6 ? 0 : 10 * (1 - Math.exp(-z / 3)) + 90 + random(),
    );
    await assertGolden(await draw(movie, { kind: 'means' }), 'means');
  });

  test('hot pixels and padding do not change the contrast', async () => {
    const spoilt = makePhantom({ nx: 512, ny: 512, nz: 1, mode: 2 }, (x, y) => {
      if (x + y < 200 || x < 20) return 0;
      return (x * 512 + y) % 6553 === 1 ? 65_535 : 1000 + 40 * (rings[2 * y * EDGE + 2 * x] as number);
    });
    await assertGolden(await draw(spoilt), 'hot-and-padded');
  });

  test('transform, by the logarithm of its amplitudes', async () => {
    const transform = makePhantom({ nx: 129, ny: 256, nz: 1, mode: 4 }, (x, y) => {
      const radius = Math.hypot(x, y - 128);
      return radius === 0 ? 1e7 : (1e4 * (1.1 + Math.sin(radius / 4))) / (1 + radius) ** 2;
    });
    await assertGolden(await draw(transform), 'transform');
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
