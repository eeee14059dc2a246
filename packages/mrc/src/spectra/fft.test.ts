import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomNumbers } from '../samples/test-phantom.ts';
import { Fft } from './fft.ts';
import { PowerSum } from './power.ts';

const random = randomNumbers(7);

test('FFT: the result equals the transform computed from the definition', () => {
  for (const size of [2, 4, 32, 256]) {
    const real = Float64Array.from({ length: size }, random);
    const imaginary = Float64Array.from({ length: size }, random);
    const [re, im] = [real.slice(), imaginary.slice()];
    new Fft(size).transform(re, im);
    for (let k = 0; k < size; k++) {
      let [sumRe, sumIm] = [0, 0];
      for (let j = 0; j < size; j++) {
        const angle = (-2 * Math.PI * j * k) / size;
        sumRe += real[j]! * Math.cos(angle) - imaginary[j]! * Math.sin(angle);
        sumIm += real[j]! * Math.sin(angle) + imaginary[j]! * Math.cos(angle);
      }
      assert.ok(Math.hypot(sumRe - re[k]!, sumIm - im[k]!) < 1e-10 * size, `size ${size}, frequency ${k}`);
    }
  }
});

test('FFT: a length that is not a power of two is refused', () => {
  for (const size of [0, 1, 3, 96, 2.5]) assert.throws(() => new Fft(size), RangeError);
});

test('power: the sum does not depend on how tiles are paired', () => {
  const tiles = [1, 2, 3].map(() => Float32Array.from({ length: 64 }, () => 100 + random()));
  const alone = tiles.map((tile) => powerOf([tile]));
  powerOf(tiles).forEach((power, k) => {
    const expected = alone.reduce((sum, one) => sum + one[k]!, 0);
    assert.ok(Math.abs(power - expected) < 1e-9, `${power} is not ${expected}`);
  });
});

test('power: values that are not finite count as the mean', () => {
  const tile = Float32Array.from({ length: 64 }, random).fill(Number.NaN, 3, 20).fill(Number.POSITIVE_INFINITY, 30, 31);
  const finite = tile.filter(Number.isFinite);
  const mean = finite.reduce((sum, value) => sum + value, 0) / finite.length;
  const filled = tile.map((value) => (Number.isFinite(value) ? value : mean));
  const expected = powerOf([filled]);
  powerOf([tile]).forEach((power, k) => {
    assert.ok(Math.abs(power - expected[k]!) < 1e-6);
  });
  assert.ok(powerOf([new Float32Array(64).fill(Number.NaN)]).every((power) => power === 0));
});

function powerOf(tiles: Float32Array[]): Float64Array {
  const sum = new PowerSum(8);
  for (const tile of tiles) sum.add(tile);
  return sum.result();
}
