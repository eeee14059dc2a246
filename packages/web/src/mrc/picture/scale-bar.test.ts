import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseBar } from './scale-bar.ts';

test('scale bar: has a round length in the unit that suits it, and is not too wide', () => {
  for (const [angstromsPerPx, label, widthPx] of [
    [1, '10 nm', 100],
    [0.8, '10 nm', 125],
    [10, '100 nm', 100],
    [100, '1 µm', 100],
    [7.5, '50 nm', 66.67],
    [0.05, '5 Å', 100],
    [0.01, '1 Å', 100],
  ] as const) {
    const bar = chooseBar(angstromsPerPx, 128);
    assert.deepEqual([bar?.label, Number(bar?.widthPx.toFixed(2))], [label, widthPx], String(angstromsPerPx));
  }
});

test('scale bar: there is none without a pixel size', () => {
  for (const size of [null, 0, -1, Number.NaN, Number.POSITIVE_INFINITY]) assert.equal(chooseBar(size, 128), null);
});
