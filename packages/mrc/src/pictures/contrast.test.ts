import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileOf } from '../samples/test-micrograph.ts';
import { randomNumbers } from '../samples/test-phantom.ts';
import { type Contrast, findLimits, toGray } from './contrast.ts';
import { renderPreview } from './preview.ts';
import { logAmplitudes, withoutPadding } from './values.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

function gray(values: number[], limits: { black: number; white: number }): number[] {
  return [...toGray({ widthPx: values.length, heightPx: 1, values: Float32Array.from(values) }, limits)];
}

test('contrast: sigma is three standard deviations around the mean of the finite values', () => {
  assert.deepEqual(findLimits(Float32Array.of(nan, 2, 4, inf, 4, 4, 5, 5, 7, 9), 'sigma'), { black: -1, white: 11 });
});

test('contrast: percentile is 0.1 and 99.9 of the finite values', () => {
  const values = Float32Array.from({ length: 3000 }, (_, i) => (i * 7) % 3000).fill(nan, 0, 1);
  assert.deepEqual(findLimits(values, 'percentile'), { black: 3, white: 2997 });
});

test('toGray: values are scaled and clipped, and NaN is black', () => {
  assert.deepEqual(gray([-5, 0, 1, 2, 3, nan, inf, -inf], { black: 0, white: 2 }), [0, 0, 128, 255, 255, 0, 255, 0]);
});

test('toGray: an image without contrast is mid grey, one without finite values black', () => {
  for (const contrast of ['sigma', 'percentile'] as const) {
    assert.deepEqual(gray([7, nan, 7], findLimits(Float32Array.of(7, nan, 7), contrast)), [128, 0, 128]);
    assert.deepEqual(gray([nan, nan], findLimits(Float32Array.of(nan, nan), contrast)), [0, 0]);
  }
});

describe('hot pixels', () => {
  const random = randomNumbers(8);
  const gauss = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const edge = 1024;
  const image = Float32Array.from({ length: edge * edge }, () => 1000 + 40 * gauss());

  async function spreadOf(values: Float32Array, sizePx: number, contrast: Contrast): Promise<number> {
    const { source, header, layout } = fileOf([values], 1);
    const request = { kind: 'section', axis: 'z', slice: null, sizePx, contrast } as const;
    const outcome = await renderPreview(source, header, layout, request);
    assert.ok(outcome.kind === 'picture');
    const grays = [...outcome.picture.gray];
    const mean = grays.reduce((sum, value) => sum + value, 0) / grays.length;
    return Math.sqrt(grays.reduce((sum, value) => sum + (value - mean) ** 2, 0) / grays.length);
  }

  for (const sizePx of [1024, 512, 128, 64]) {
    test(`one of 1e9, or 40 stuck ones, change the deviation of a picture of ${sizePx} pixels by less than 5 %`, async () => {
      const clean = await spreadOf(image, sizePx, 'sigma');
      assert.ok(clean > 35, `the deviation is ${clean}`);
      const one = image.slice().fill(1e9, 400_000, 400_001);
      const forty = image.map((value, at) => (at % 26_215 === 77 ? 65_535 : value));
      for (const spoilt of [one, forty]) {
        const ratio = (await spreadOf(spoilt, sizePx, 'sigma')) / clean;
        assert.ok(Math.abs(ratio - 1) < 0.05, `${ratio} times`);
      }
    });
  }
});

test('contrast: values that are nearly all the same are drawn by the few others', () => {
  const few = new Float32Array(10_000).fill(1, 0, 3);
  for (const contrast of ['sigma', 'percentile'] as const) {
    const { black, white } = findLimits(few, contrast);
    assert.ok(black < 0 && white > 0 && white < 1, `${contrast}: ${black} ${white}`);
  }
});

test('padding: zeros from the edges inwards do not count, and zeros inside do', () => {
  const rows = ['000000', '012110', '010010', '011130', '000000'].map((row) => [...row].map(Number));
  const raster = { widthPx: 6, heightPx: 5, values: Float32Array.from(rows.flat()) };
  assert.deepEqual([...withoutPadding(raster)], [1, 2, 1, 1, 1, 0, 0, 1, 1, 1, 1, 3]);
  const nothing = { widthPx: 2, heightPx: 2, values: new Float32Array(4) };
  assert.equal(withoutPadding(nothing).length, 4);
});

test('transforms: the logarithm of the amplitude ÷ the median, and what has none is not below a thousandth', () => {
  const values = Float32Array.of(0, 1, 10, 100, 1e6, nan);
  const logarithms = logAmplitudes({ widthPx: 6, heightPx: 1, values }).values;
  const wanted = [0.001, 0.011, 0.101, 1.001, 10_000.001].map(Math.log);
  wanted.forEach(
    (value, at) => void assert.ok(Math.abs(logarithms[at]! - value) < 0.1 + 1e-3, `${at}: ${logarithms[at]}`),
  );
  assert.ok(Number.isNaN(logarithms[5]));
});
