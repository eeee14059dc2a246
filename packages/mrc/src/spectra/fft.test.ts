import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomNumbers } from '../samples/test-phantom.ts';
import { Fft } from './fft.ts';
import { PowerSum, powerAt } from './power.ts';

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

test('power: the mean of the tiles, at each frequency, with the Hann window', () => {
  const edge = 8;
  const tiles = [1, 2, 3].map(() => Float32Array.from({ length: edge * edge }, () => random() - 0.5));
  for (const kept of [4, 2]) {
    const sum = new PowerSum(edge, kept);
    // The rows of the tiles take turns.
    const open = tiles.map(() => sum.open());
    for (let y = 0; y < edge; y++) open.forEach((rows, at) => void sum.addRow(rows, y, tiles[at]!, y * edge));
    const { power } = sum.result();
    assert.equal(power.length, (kept + 1) * (2 * kept + 1));
    for (let kx = 0, at = 0; kx <= kept; kx++) {
      for (let ky = -kept; ky <= kept; ky++, at++) {
        const wanted = tiles.reduce((total, tile) => total + powerOf(tile, edge, kx, ky), 0) / tiles.length;
        assert.ok(Math.abs(power[at]! - wanted) < 1e-6 * (1 + wanted), `${kx}, ${ky}: ${power[at]}, not ${wanted}`);
      }
    }
  }
});

test('powerAt: the power between frequencies, and of mirrored ones', () => {
  const kept = 4;
  const power = Float64Array.from({ length: (kept + 1) * (2 * kept + 1) }, random);
  const spectrum = { edge: 8, kept, power };
  const at = (kx: number, ky: number) => power[kx * (2 * kept + 1) + ky + kept]!;
  assert.equal(powerAt(spectrum, 2, -3, 1), at(2, -3));
  assert.equal(powerAt(spectrum, -2, 3, 1), at(2, -3));
  assert.ok(Math.abs(powerAt(spectrum, 2.5, 1, 1) - (at(2, 1) + at(3, 1)) / 2) < 1e-12);
  assert.ok(Math.abs(powerAt(spectrum, -0.5, 1, 1) - (at(0, -1) + at(1, -1)) / 2) < 1e-12);
  const wide = (2 * at(2, 1) + at(1, 1) + at(3, 1)) / 4;
  const above = (2 * at(2, 2) + at(1, 2) + at(3, 2)) / 4;
  const below = (2 * at(2, 0) + at(1, 0) + at(3, 0)) / 4;
  assert.ok(Math.abs(powerAt(spectrum, 2, 1, 2) - (2 * wide + above + below) / 4) < 1e-12);
});

/** |F|² of a tile by the definition. */
function powerOf(tile: Float32Array, edge: number, kx: number, ky: number): number {
  let [re, im] = [0, 0];
  const hann = (i: number) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / edge);
  tile.forEach((value, i) => {
    const [x, y] = [i % edge, Math.floor(i / edge)];
    const angle = (-2 * Math.PI * (kx * x + ky * y)) / edge;
    re += value * hann(x) * hann(y) * Math.cos(angle);
    im += value * hann(x) * hann(y) * Math.sin(angle);
  });
  return re * re + im * im;
}
