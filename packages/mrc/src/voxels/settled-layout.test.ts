import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHeader } from '../header/header.ts';
import { buildHeader, type HeaderFields } from '../header/writer.ts';
import type { Signedness } from '../kind/signedness.ts';
import { settleLayout } from './settled-layout.ts';
import { layoutOf } from './voxels.ts';

const SHAPE = { nx: 100, ny: 100, nz: 20, mode: 0 };
const UNSET = { dmin: 0, dmax: 0, dmean: 0, rms: 0 };

/** The decision for a file, and the number of reads that it took. */
async function settle(fields: Partial<HeaderFields>, byteAt: (at: number) => number, given?: Signedness) {
  const sizeBytes = 1024 + SHAPE.nx * SHAPE.ny * SHAPE.nz;
  const layout = layoutOf(parseHeader(buildHeader({ ...SHAPE, ...fields }), sizeBytes), sizeBytes, {
    mode0: given,
  });
  assert.ok(layout);
  let reads = 0;
  const source = {
    async read(offsetBytes: number, target: Uint8Array) {
      reads++;
      assert.ok(offsetBytes >= 1024 && offsetBytes + target.length <= sizeBytes);
      for (let i = 0; i < target.length; i++) target[i] = byteAt(offsetBytes + i);
    },
  };
  const { isSigned, signedness } = await settleLayout(source, layout);
  assert.equal(isSigned, signedness?.value === 'signed');
  return { by: `${signedness?.value} by ${signedness?.evidence.code}`, reads };
}

test('mode 0: the voxels decide when the header does not, with any NVERSION', async () => {
  const aboutZero = (at: number) => (at % 41) - 20;
  const aboutMiddle = (at: number) => 108 + (at % 41);
  for (const nversion of [0, 20140]) {
    assert.equal((await settle({ ...UNSET, nversion }, aboutZero)).by, 'signed by voxels');
    assert.equal((await settle({ ...UNSET, nversion }, aboutMiddle)).by, 'unsigned by voxels');
  }
});

test('mode 0: no voxel is read when the header or the owner decides', async () => {
  const aboutZero = (at: number) => (at % 41) - 20;
  assert.deepEqual(await settle({ dmin: 0, dmax: 255, dmean: 90 }, aboutZero), {
    by: 'unsigned by statistics',
    reads: 0,
  });
  assert.deepEqual(await settle({ ...UNSET }, aboutZero, 'unsigned'), { by: 'unsigned by given', reads: 0 });
});

test('mode 0: ambiguous voxels and hot pixels decide nothing', async () => {
  const counts = (at: number) => at % 5;
  assert.equal((await settle({ ...UNSET, nversion: 0 }, counts)).by, 'unsigned by default');
  assert.equal((await settle({ ...UNSET, nversion: 20140 }, counts)).by, 'signed by version');
  const hot = (at: number) => (at % 1000 === 7 ? 255 : at % 5);
  assert.equal((await settle({ ...UNSET, nversion: 0 }, hot)).by, 'unsigned by default');
  assert.equal((await settle({ ...UNSET, nversion: 0 }, (at) => at % 256)).by, 'unsigned by default');
});
