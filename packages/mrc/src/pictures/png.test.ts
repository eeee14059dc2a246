import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodePng } from './png.ts';
import { decodePng } from './test-png.ts';

test('encodePng: the file is a valid PNG with its description', async () => {
  const gray = Uint8Array.from({ length: 300 * 7 }, (_, i) => i % 251);
  const picture = { widthPx: 300, heightPx: 7, gray, black: -0.5, white: 1e-7, slice: 3, shows: 'Rings at 5 Å' };
  assert.deepEqual(decodePng(await encodePng(picture)), {
    widthPx: 300,
    heightPx: 7,
    gray,
    text: 'Description\0Rings at 5 Å; black is -0.500000, white is 1.00000e-7',
  });
});
