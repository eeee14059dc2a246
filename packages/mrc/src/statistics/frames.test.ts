import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makePhantom, randomNumbers } from '../samples/test-phantom.ts';
import { VoxelAnalysis } from '../voxel-analysis.ts';
import { checkFrames, doseOf, oddFrames } from './frames.ts';

const CAMERA = { kind: 'stack', nx: 4096, ny: 4096, nz: 20, mode: 1 } as const;
const random = randomNumbers(11);

/** Means of 20 frames around 100 with a deviation of 0.2, some of them replaced. */
function means(replaced: Readonly<Record<number, number>> = {}, sd = 10) {
  const mean = Array.from({ length: 20 }, (_, at) => replaced[at] ?? 100 + 0.4 * (random() - 0.5));
  return { mean, sd: mean.map((value) => (value === 0 ? 0 : sd)) };
}

function message(sections: ReturnType<typeof means>, file: Parameters<typeof checkFrames>[0] = CAMERA): string | null {
  const [finding, ...more] = checkFrames(file, sections);
  assert.equal(more.length, 0);
  assert.equal(finding?.code ?? 'odd_frames', 'odd_frames');
  return finding?.message ?? null;
}

describe('checkFrames', () => {
  test('an empty frame and a bright one are named, counted from 1', () => {
    assert.equal(message(means({ 6: 0 })), 'Some frames are unlike the others: frame 7 of 20 is 0.');
    assert.match(message(means({ 19: 300 })) ?? '', /: frame 20 of 20 has a mean of 300, and the median is (99|100)\./);
    const many = message(means({ 1: 0, 2: 0, 3: 0, 4: 0, 5: 0, 6: 0, 7: 0 })) ?? '';
    assert.match(many, /frame 6 of 20 is 0; and so are 2 more\.$/);
  });

  test('usual movies give no warning: a first frame that is 4 % darker, frames without any difference', () => {
    assert.equal(message(means()), null);
    assert.equal(message(means({ 0: 96 })), null);
    assert.equal(message({ mean: Array(20).fill(7), sd: Array(20).fill(2) }), null);
    assert.equal(message({ mean: Array(20).fill(0), sd: Array(20).fill(0) }), null);
  });

  test('a tilt series, whose images become darker with the tilt, gives no warning, but a blocked beam does', () => {
    const tilts = Array.from({ length: 41 }, (_, at) => 3 * (at - 20));
    const mean = tilts.map((tilt) => 5000 * Math.exp(-0.6 / Math.cos((tilt * Math.PI) / 180)));
    const series = { mean, sd: mean.map((value) => value / 10) };
    const file = { ...CAMERA, kind: 'tilt_series', nz: 41 } as const;
    assert.equal(message(series, file), null);
    mean[30] = 20;
    for (const kind of ['tilt_series', 'stack'] as const) {
      assert.match(message(series, { ...file, kind }) ?? '', /: frame 31 of 41 has a mean of 20,/);
    }
  });

  test('the means of normalised particles may differ; volumes and images have no frames', () => {
    const particles = { ...CAMERA, nx: 256, ny: 256 };
    const normalised = {
      mean: Array.from({ length: 20 }, (_, at) => (at === 3 ? 0.4 : 0.02 * random())),
      sd: Array(20).fill(1),
    };
    assert.equal(message(normalised, particles), null);
    assert.match(message(normalised) ?? '', /frame 4 of 20 has a mean of 0\.4/);
    assert.match(message(means({ 3: 300 }), particles) ?? '', /frame 4 of 20 has a mean of 300/);
    assert.equal(message(means({ 3: 0 }), { ...CAMERA, kind: 'volume' }), null);
    assert.deepEqual(checkFrames(CAMERA, null), []);
    assert.deepEqual(oddFrames({ mean: [1, 1, 1, 50], sd: [1, 1, 1, 1] }, CAMERA), []);
  });

  test('the frames of a file are found in its voxels', () => {
    const movie = makePhantom({ nx: 1100, ny: 4, nz: 20, mode: 6 }, (x, y, z) => (z === 6 ? 0 : 5 + ((x * y + z) % 3)));
    const pass = new VoxelAnalysis(movie.layout, 'stack');
    pass.add(0, movie.bytes);
    const found = checkFrames({ ...movie.layout, kind: 'stack' }, pass.sectionStatistics());
    assert.match(found[0]?.message ?? '', /: frame 7 of 20 is 0\./);
  });
});

describe('doseOf', () => {
  const poisson = (mean: number) => ({ mean: Array(20).fill(mean), sd: Array(20).fill(Math.sqrt(1.1 * mean)) });

  test('counted electrons give the dose per pixel and per Å²', () => {
    const found = { min: 0, sections: poisson(0.8) };
    assert.deepEqual(doseOf(CAMERA, found, [0.8, 0.5]), { per_pixel: 0.8, per_square_angstrom: 2 });
    assert.deepEqual(doseOf({ ...CAMERA, mode: 101 }, found, null), { per_pixel: 0.8, per_square_angstrom: null });
  });

  test('an integrating camera, floats and a volume have no known dose', () => {
    const counted = { min: 0, sections: poisson(0.8) };
    assert.equal(doseOf(CAMERA, { min: 0, sections: { ...poisson(1000), sd: Array(20).fill(200) } }, [1, 1]), null);
    assert.equal(doseOf(CAMERA, { ...counted, min: 1 }, [1, 1]), null);
    assert.equal(doseOf({ ...CAMERA, mode: 2 }, counted, [1, 1]), null);
    assert.equal(doseOf({ ...CAMERA, kind: 'volume' }, counted, [1, 1]), null);
    assert.equal(doseOf(CAMERA, { min: 0, sections: { mean: [null, null], sd: [null, null] } }, [1, 1]), null);
  });
});
