import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseHeader } from '../header/header.ts';
import { HEADER_BYTES } from '../header/layout.ts';
import { renderPreview } from '../pictures/preview.ts';
import type { PreviewRequest } from '../pictures/preview-request.ts';
import { assertGolden } from '../pictures/test-png.ts';
import { randomNumbers, sourceOf, sphereLattice } from '../samples/test-phantom.ts';
import { layoutOf } from '../voxels/voxels.ts';
import { openTiff } from './decoded.ts';
import { eerImage, greyImage, type Image, writeTiff } from './test-tiff.ts';

async function draw(bytes: Uint8Array, request: Partial<PreviewRequest> = {}) {
  const decoded = await openTiff(sourceOf(bytes), bytes.length);
  assert.ok(decoded);
  const start = new Uint8Array(HEADER_BYTES);
  await decoded.source.read(0, start);
  const header = parseHeader(start, decoded.sizeBytes);
  const layout = layoutOf(header, decoded.sizeBytes, decoded.overrides);
  assert.ok(layout);
  const whole = { kind: 'section', axis: 'z', slice: null, sizePx: 512, contrast: 'sigma', ...request } as const;
  const outcome = await renderPreview(decoded.source, header, layout, whole);
  assert.ok(outcome.kind === 'picture', JSON.stringify(outcome));
  return outcome.picture;
}

/** A ring and a bar below it, so that a picture upside down is another one. */
function isBright(x: number, y: number, edge: number): boolean {
  const radius = Math.hypot(x - edge / 2, y - edge / 3);
  return (radius > edge / 6 && radius < edge / 5) || (y > 0.8 * edge && y < 0.85 * edge && x < edge / 2);
}

describe('golden pictures of TIFF and EER files', () => {
  test('average of an LZW movie', async () => {
    const random = randomNumbers(3);
    const how = { width: 96, height: 64, bits: 16, isLzw: true, rowsPerStrip: 10 } as const;
    const movie = Array.from({ length: 12 }, () =>
      greyImage(how, (x, y) => Math.round(30 * sphereLattice(x, y, 7) + 900 * random())),
    );
    await assertGolden(await draw(writeTiff(movie), { kind: 'average' }), 'tiff-average');
  });

  test('tiled image of floating point numbers', async () => {
    const how = { width: 200, height: 200, bits: 32, format: 'float', tile: [64, 32], byteOrder: 'big' } as const;
    const image = greyImage(how, (x, y) => (isBright(x, y, 200) ? 1.25 : 1) + x / 2_000);
    await assertGolden(await draw(writeTiff([image], { byteOrder: 'big' })), 'tiff-tiles');
  });

  test('sum of an EER movie', async () => {
    const random = randomNumbers(8);
    const edge = 1_024;
    const frames = Array.from({ length: 6 }, (): Image => {
      const electrons = new Map<number, { x: number; y: number }>();
      for (let tries = 0; tries < 90_000; tries++) {
        const [x, y] = [Math.floor(random() * edge), Math.floor(random() * edge)];
        if (isBright(x, y, edge) || random() < 0.5) electrons.set(y * edge + x, { x, y });
      }
      return eerImage({ width: edge, height: edge, compression: 65_001, strips: 4 }, [...electrons.values()]);
    });
    await assertGolden(await draw(writeTiff(frames, { isBig: true }), { sizePx: 256 }), 'eer-sum');
  });
});
