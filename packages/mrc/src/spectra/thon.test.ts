/** Thon rings in the spectra of generated micrographs: four pixel sizes and defoci, as in the field. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Picture } from '../pictures/picture.ts';
import { renderPreview } from '../pictures/preview.ts';
import type { PreviewRequest } from '../pictures/preview-request.ts';
import { ctfSquared, fileOf, makeMicrograph } from '../samples/test-micrograph.ts';
import { planSpectrum } from './plan.ts';
import { readSpectrum } from './spectrum.ts';
import { viewSpectrum } from './view.ts';

/** Pixels of a picture for Thon rings are not finer, Å. */
const SHOWN_PIXEL = 1.4;
const SIZE = 512;
/** Å: where a picture is compared with the CTF. */
const RANGE = [30, 5] as const;

const CASES = [
  { edge: 4096, pixel: 0.4, defocus: 25_000 },
  { edge: 2048, pixel: 0.53, defocus: 20_000 },
  { edge: 2048, pixel: 0.83, defocus: 30_000 },
  { edge: 2048, pixel: 1.06, defocus: 12_000 },
] as const;

async function draw(
  { source, header, layout }: ReturnType<typeof fileOf>,
  request: Partial<PreviewRequest> = {},
): Promise<Picture> {
  const asked = { kind: 'spectrum', axis: 'z', slice: null, sizePx: SIZE, contrast: 'sigma', ...request } as const;
  const outcome = await renderPreview(source, header, layout, asked);
  assert.ok(outcome.kind === 'picture', JSON.stringify(outcome));
  return outcome.picture;
}

/** Pearson's correlation of a picture with CTF² from 30 to 5 Å. */
function correlate({ gray, widthPx }: Picture, defocus: number): number {
  const shown: number[] = [];
  const wanted: number[] = [];
  gray.forEach((value, at) => {
    const [x, y] = [(at % widthPx) - widthPx / 2, Math.floor(at / widthPx) - widthPx / 2];
    const frequency = Math.hypot(x, y) / (widthPx * SHOWN_PIXEL);
    if (frequency < 1 / RANGE[0] || frequency > 1 / RANGE[1]) return;
    shown.push(value);
    wanted.push(ctfSquared(frequency, defocus));
  });
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanShown, meanWanted] = [mean(shown), mean(wanted)];
  const product = mean(shown.map((value, at) => (value - meanShown) * ((wanted[at] as number) - meanWanted)));
  const variance = (values: readonly number[], middle: number) => mean(values.map((value) => (value - middle) ** 2));
  return product / Math.sqrt(variance(shown, meanShown) * variance(wanted, meanWanted));
}

/** The radii at which `profile` is less than all within two pixels, by a parabola through three of them. */
function findMinima(profile: readonly number[]): number[] {
  const minima: number[] = [];
  for (let r = 2; r + 2 < profile.length; r++) {
    const [before, here, after] = [profile[r - 1], profile[r], profile[r + 1]] as [number, number, number];
    if (here > before || here >= after || here > (profile[r - 2] as number) || here > (profile[r + 2] as number))
      continue;
    const minimum = r + (before - after) / (2 * (before - 2 * here + after));
    if (!Number.isNaN(minimum)) minima.push(minimum);
  }
  return minima;
}

/** Means of the values of a square picture at each distance from its middle, in pixels. */
function radialMeans(values: Float32Array, sizePx: number): number[] {
  const sums = new Float64Array(sizePx / 2);
  const counts = new Float64Array(sizePx / 2);
  values.forEach((value, at) => {
    const radius = Math.round(Math.hypot((at % sizePx) - sizePx / 2, Math.floor(at / sizePx) - sizePx / 2));
    if (radius >= sums.length || Number.isNaN(value)) return;
    sums[radius] = (sums[radius] as number) + value;
    counts[radius] = (counts[radius] as number) + 1;
  });
  return Array.from(sums, (sum, radius) => sum / (counts[radius] as number));
}

for (const { edge, pixel, defocus } of CASES) {
  describe(`${edge} pixels of ${pixel} Å, ${defocus / 10_000} µm`, () => {
    const micrograph = makeMicrograph({ edge, pixel, defocus });
    const file = fileOf([micrograph], pixel);

    test('the picture shows the CTF², and no ice', async () => {
      const picture = await draw(file);
      assert.deepEqual([picture.widthPx, picture.heightPx, picture.ice], [SIZE, SIZE, null]);
      const found = correlate(picture, defocus);
      assert.ok(found >= 0.7, `the correlation is ${found.toFixed(3)}`);
    });

    test('a peak finder finds each ring within one pixel', async () => {
      const plan = planSpectrum(file.layout, [pixel, pixel], 'thon', SIZE);
      assert.ok(plan);
      const { values } = viewSpectrum(await readSpectrum(file.source, file.layout, 0, plan), plan, 'thon', SIZE, false);
      const wanted = findMinima(
        Array.from({ length: SIZE / 2 }, (_, r) => ctfSquared(r / (SIZE * SHOWN_PIXEL), defocus)),
      ).filter((radius) => radius > (SIZE * SHOWN_PIXEL) / RANGE[0] && radius < (SIZE * SHOWN_PIXEL) / 7);
      assert.ok(wanted.length >= 3, `${wanted.length} rings`);
      const found = findMinima(radialMeans(values, SIZE));
      for (const radius of wanted) {
        const distance = Math.min(...found.map((each) => Math.abs(each - radius)));
        assert.ok(distance <= 1, `the ring at ${radius.toFixed(1)} px is missed by ${distance.toFixed(1)} px`);
      }
    });
  });
}

test('spectrum: the frames of a movie are averaged', async () => {
  const fields = { edge: 512, pixel: 1.06, defocus: 12_000, signal: 1.2 };
  const movie = fileOf(
    Array.from({ length: 12 }, (_, seed) => makeMicrograph({ ...fields, seed })),
    fields.pixel,
  );
  const [all, one] = [await draw(movie), await draw(movie, { slice: 0 })];
  assert.deepEqual([all.slice, one.slice], [null, 0]);
  const [ofAll, ofOne] = [correlate(all, fields.defocus), correlate(one, fields.defocus)];
  assert.ok(ofAll >= 0.7 && ofAll > ofOne + 0.15, `${ofAll} of all frames, ${ofOne} of one`);
});

test('spectrum: hot pixels do not cover the rings', async () => {
  const fields = { edge: 1024, pixel: 1.06, defocus: 12_000 };
  const micrograph = makeMicrograph(fields);
  const hot = micrograph.map((value, at) => (at % 26_000 === 77 ? 65_535 : value)).fill(1e9, 500_500, 500_501);
  const [clean, spoilt] = [await draw(fileOf([micrograph], 1.06)), await draw(fileOf([hot], 1.06))];
  const [before, after] = [correlate(clean, fields.defocus), correlate(spoilt, fields.defocus)];
  assert.ok(before > 0.6 && after > before - 0.02, `${after}, without hot pixels ${before}`);
});

describe('ice', () => {
  const fields = { edge: 1024, pixel: 1.06, defocus: 12_000, ice: 1.5 };
  const file = fileOf([makeMicrograph(fields)], fields.pixel);

  test('its peak is found, in every kind of spectrum, and said in the picture', async () => {
    for (const request of [{}, { range: 'full' }, { kind: 'profile' }] as const) {
      const { ice, shows } = await draw(file, request);
      assert.ok(ice && Math.abs(ice.angstroms - 3.7) < 0.05, `${JSON.stringify(request)}: ${ice?.angstroms} Å`);
      assert.ok(ice.ratio > 1.5 && ice.ratio < 3, `${ice.ratio} times`);
      assert.match(shows, /; a peak at 3\.[67]\d Å, \d\.\d times its surroundings$/);
    }
  });

  test('the whole range shows its ring brighter than what is inside and outside', async () => {
    const { gray } = await draw(file, { range: 'full' });
    const radius = (angstroms: number) => Math.round((SIZE * fields.pixel) / angstroms);
    const means = radialMeans(Float32Array.from(gray), SIZE);
    const at = (angstroms: number) => means[radius(angstroms)] as number;
    assert.ok(at(3.7) > (at(4.4) + at(3.2)) / 2 + 5, `${at(4.4)}, ${at(3.7)}, ${at(3.2)}`);
  });

  test('is not looked for without a pixel size, nor where pixels are too large', async () => {
    for (const pixel of [0, 2]) {
      const { ice } = await draw(fileOf([makeMicrograph({ ...fields, edge: 256 })], pixel), { kind: 'profile' });
      assert.equal(ice, null);
    }
  });
});
