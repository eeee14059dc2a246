/** Pictures of files whose axes are permuted, whose voxels are no cubes, and of a stack of volumes. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Axis } from '../header/axes.ts';
import { parseHeader } from '../header/header.ts';
import { makePhantom, type Phantom, sourceOf, sphereLattice } from '../samples/test-phantom.ts';
import { layoutOf } from '../voxels/voxels.ts';
import { renderPreview } from './preview.ts';
import { assertGolden } from './test-png.ts';

async function draw({ source, header, layout }: Omit<Phantom, 'bytes'>, axis: Axis) {
  const request = { kind: 'section', axis, slice: null, sizePx: 512, contrast: 'sigma' } as const;
  const outcome = await renderPreview(source, header, layout, request);
  assert.ok(outcome.kind === 'picture', JSON.stringify(outcome));
  return outcome.picture;
}

test('golden: a real map with columns Z, rows X, sections Y, across Y: X to the right, Z up, to scale', async () => {
  const bytes = new Uint8Array(readFileSync(new URL('../../fixtures/EMD-3001.map', import.meta.url)));
  const header = parseHeader(bytes, bytes.length);
  const layout = layoutOf(header, bytes.length);
  assert.ok(layout);
  await assertGolden(await draw({ header, layout, source: sourceOf(bytes) }, 'y'), 'permuted');
});

test('golden: voxels three times as long along z, across y', async () => {
  const size = { nx: 96, ny: 64, nz: 32, mode: 2, ispg: 1, m: [96, 64, 32], cella: [96, 64, 96] } as const;
  await assertGolden(
    await draw(
      makePhantom(size, (x, y, z) => sphereLattice(x, y, 3 * z)),
      'y',
    ),
    'anisotropic',
  );
});

test('golden: a stack of volumes, across x: one volume', async () => {
  const size = { nx: 64, ny: 64, nz: 192, mode: 2, ispg: 401, m: [64, 64, 48], cella: [64, 64, 48] } as const;
  await assertGolden(
    await draw(
      makePhantom(size, (x, y, z) => sphereLattice(x, y, z % 48)),
      'x',
    ),
    'volume-stack',
  );
});
